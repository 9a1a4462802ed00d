"""How many of each service, and what they are called."""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST: Final = len(string.ascii_lowercase)
"""Of one service: each has a letter."""


class Member(NamedTuple):
    """One process, of one service or several."""

    services: tuple[str, ...]
    letter: str

    @property
    def name(self) -> str:
        """`gateway-a`, `logic+gateway-a`: the name of its log; a lone service's node id."""
        return f"{'+'.join(self.services)}-{self.letter}"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many processes of each service; at most 26."""

    gateways: int = 2
    logics: int = 2
    repos: int = 2
    tasks: int = 2

    def members(self) -> Iterator[Member]:
        """All of them, in the order in which they are started: nobody waits long for whom it needs."""
        counts = {"repo": self.repos, "logic": self.logics, "task": self.tasks, "gateway": self.gateways}
        for service, count in counts.items():
            yield from _lettered((service,), count)


@dataclass(frozen=True, slots=True)
class Paired:
    """Services that speak most with each other share a process, as one would on few cores."""

    gateways: int = 1
    """Processes of logic and gateway; at most 26."""
    repos: int = 1
    """Processes of repo and task; at most 26."""

    def members(self) -> Iterator[Member]:
        """As `Shape.members`."""
        yield from _lettered(("repo", "task"), self.repos)
        yield from _lettered(("logic", "gateway"), self.gateways)


def _lettered(services: tuple[str, ...], count: int) -> Iterator[Member]:
    for letter in string.ascii_lowercase[:count]:
        yield Member(services, letter)
