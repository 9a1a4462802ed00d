"""How many of each service, and what they are called."""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST: Final = len(string.ascii_lowercase)
"""Of one service: each has a letter."""


SERVICES: Final = ("repo", "logic", "task", "gateway")


class Member(NamedTuple):
    """One process."""

    services: tuple[str, ...]
    """One, or all."""
    letter: str

    @property
    def name(self) -> str:
        """`gateway-a`: a lone service's node id; `together-a`: of a process that holds all. Also the name of its log."""
        return f"{self.services[0] if len(self.services) == 1 else 'together'}-{self.letter}"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many processes of each service; at most 26."""

    gateways: int = 2
    logics: int = 2
    repos: int = 2
    tasks: int = 2

    def members(self) -> Iterator[Member]:
        """All of them, in the order in which they are started: nobody waits long for whom it needs."""
        for service, count in zip(SERVICES, (self.repos, self.logics, self.tasks, self.gateways), strict=True):
            yield from _lettered((service,), count)


@dataclass(frozen=True, slots=True)
class Together:
    """Processes that hold all services each, as many alike as there are; at most 26.

    On few cores a hop between processes costs more than it gives.
    """

    processes: int = 1

    def members(self) -> Iterator[Member]:
        """All of them."""
        yield from _lettered(SERVICES, self.processes)


def _lettered(services: tuple[str, ...], count: int) -> Iterator[Member]:
    for letter in string.ascii_lowercase[:count]:
        yield Member(services, letter)
