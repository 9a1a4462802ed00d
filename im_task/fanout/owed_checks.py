"""What gateways missed while fan-out went on without them: kept in memory, without I/O.

A task process that dies forgets it. Then the next entry of each conversation shows the gateway its gap, and clients compare
by themselves every few minutes.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_CONVERSATIONS: Final = 10_000
"""Of one gateway; with more of them it is told to check everything."""

Target = tuple[str, str]
"""A gateway's boot: (node_id, boot_id)."""


class Owed(NamedTuple):
    """What to tell one gateway."""

    conversation_ids: tuple[int, ...]
    every: bool


class OwedChecks:
    """Conversations by the gateway that missed entries of them."""

    def __init__(self) -> None:
        self._missed: dict[Target, set[int]] = {}  # bounded: a full one stands for every conversation

    def owes(self, target: Target) -> bool:
        """Whether that gateway is to be told first, before it gets anything further."""
        return target in self._missed

    def add(self, target: Target, conversation_id: int) -> None:
        """It missed entries of this conversation."""
        missed = self._missed.setdefault(target, set())
        if len(missed) <= MAX_CONVERSATIONS:
            missed.add(conversation_id)

    def targets(self) -> Sequence[Target]:
        """The gateways that are owed."""
        return tuple(self._missed)

    def of(self, target: Target) -> Owed:
        """What it missed by now."""
        missed = self._missed[target]
        every = len(missed) > MAX_CONVERSATIONS
        return Owed(() if every else tuple(sorted(missed)), every)

    def settled(self, target: Target, told: Owed) -> None:
        """It was told; what it missed since remains."""
        missed = self._missed[target]
        if told.every:
            missed.clear()
        missed.difference_update(told.conversation_ids)
        if not missed:
            del self._missed[target]

    def forget(self, target: Target) -> None:
        """It is gone, and its connections with it."""
        self._missed.pop(target, None)
