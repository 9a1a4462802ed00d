"""What processes use, read from the operating system."""

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """A process's use up to a moment."""

    cpu_s: float
    """Seconds of CPU, user and system, since its start."""
    rss_mib: float


def read(pid: int) -> Usage | None:
    """The use of `pid` and its children; None when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        cpu_s = sum(one.cpu_times().user + one.cpu_times().system for one in family)
        return Usage(cpu_s=cpu_s, rss_mib=sum(one.memory_info().rss for one in family) / 2**20)
    except psutil.NoSuchProcess:
        return None
