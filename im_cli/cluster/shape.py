"""How many of each service, and what they are called."""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST: Final = len(string.ascii_lowercase)
"""Of one service: each has a letter."""


class Member(NamedTuple):
    """One process."""

    service: str
    letter: str

    @property
    def name(self) -> str:
        """`gateway-a`: its node id, and the name of its log."""
        return f"{self.service}-{self.letter}"


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
            for letter in string.ascii_lowercase[:count]:
                yield Member(service, letter)
