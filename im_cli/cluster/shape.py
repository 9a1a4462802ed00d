"""How many of each service, and what they are called."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST: Final = len(string.ascii_lowercase)
"""Of one service: each has a letter."""

UNLIMITED: Final[Mapping[str, str]] = {
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "127.0.0.0/8",
    "IM_GATEWAY__LIMITS__HANDSHAKES_PER_S": "5000",
    "IM_GATEWAY__LIMITS__HANDSHAKE_BURST": "20000",
    "IM_LOGIC__MESSAGING__SENDS_PER_GROUP_S": "1000000",
    "IM_LOGIC__MESSAGING__SENDS_PER_HUGE_S": "1000000",
    "IM_LOGIC__MESSAGING__GUEST_SLOW_MODE_MS": "0",
    "IM_LOGIC__WORLD__SLOW_MODE_S": "0",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "64",
    "IM_LOGIC__ACCOUNTS__ACCESS_TTL_S": "7200",
}
"""Settings under which one machine may play thousands of users: no buckets for loopback, cheap hashes, no slow mode."""


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
