"""What processes use, read from the operating system."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """A process's use up to a moment, its children included."""

    cpu_s: float
    """Seconds of CPU, user and system, since its start."""
    rss_mib: float


class Watch:
    """Reads named processes, again and again.

    Args:
        pids: by name; empty when they are on another machine: their use is unknown then, and not guessed.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._processes: dict[str, psutil.Process] = {}

    def read(self) -> dict[str, Usage]:
        """The use of each that still runs."""
        found = {}
        for name, pid in self._pids.items():
            try:
                process = self._processes.setdefault(name, psutil.Process(pid))
                found[name] = _of_family(process)
            except psutil.NoSuchProcess:
                self._processes.pop(name, None)
        return found


def _of_family(process: psutil.Process) -> Usage:
    cpu_s, rss = 0.0, 0
    for one in (process, *process.children(recursive=True)):
        try:
            with one.oneshot():
                times, memory = one.cpu_times(), one.memory_info()
        except psutil.NoSuchProcess:
            if one is process:
                raise
            continue  # a child that ended between two calls
        cpu_s += times.user + times.system
        rss += memory.rss
    return Usage(cpu_s=cpu_s, rss_mib=rss / 2**20)
