"""What a later command must know of a running cluster: whom to stop, and where it is.

A process id alone may have been given to somebody else since: a process is known by its id and its time of creation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from im_cli.engines.engine import STOP_S

NAME: Final = "cluster.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was started."""

    name: str
    pid: int
    created: float
    """`psutil`'s time of creation, seconds since the epoch."""
    stop_s: float = STOP_S
    """How long it may take to end when asked to, in seconds; then it is killed."""

    @classmethod
    def of(cls, name: str, pid: int, *, stop_s: float = STOP_S) -> "Running":
        """The process with that id now."""
        return cls(name, pid, psutil.Process(pid).create_time(), stop_s)

    def find(self) -> psutil.Process | None:
        """The process, if it still runs and is the same."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except psutil.NoSuchProcess:
            pass
        return None


@dataclass(frozen=True, slots=True)
class State:
    """A cluster that was started."""

    urls: Sequence[str]
    """Of the gateways."""
    config: str
    """The settings that all its processes share."""
    processes: Sequence[Running]
    """In the order in which they are to be stopped."""
    internal_urls: Mapping[str, str]
    """By the name of a service's process."""


def write(folder: Path, state: State) -> None:
    """Keep it, whole or not at all."""
    fresh = folder / f"{NAME}.new"
    fresh.write_text(json.dumps(asdict(state), indent=2), encoding="utf-8")
    fresh.replace(folder / NAME)


def read(folder: Path) -> State | None:
    """What was kept; None: no cluster was started in that folder."""
    path = folder / NAME
    if not path.exists():
        return None
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["processes"] = [Running(**process) for process in raw["processes"]]
    return State(**raw)


def remove(folder: Path) -> None:
    """The cluster is gone."""
    (folder / NAME).unlink(missing_ok=True)
