"""Pushes coming in: their numbers, and how far they took effect."""

from typing import Final

from im_infra.rpc.core.violation import ProtocolViolationError

_AT_ONCE: Final = 256
"""Pushes owed that wait no longer: a fraction of what the other side may have unacknowledged (`max_pushes`)."""


class Hearing:
    """Cumulative acknowledgement: never of a push before its effect.

    It goes with whatever else is written, or alone once it has been owed for a tick: nobody is kept waiting by it, and a
    frame of its own for each would cost more than the pushes.
    """

    def __init__(self) -> None:
        self._heard = 0
        self._effective = 0
        self._acknowledged = 0
        self._ticked = False

    @property
    def owes(self) -> bool:
        """Something took effect that was not acknowledged yet."""
        return self._effective != self._acknowledged

    @property
    def presses(self) -> bool:
        """So much, or for so long, that it is to be acknowledged without anything else to go with."""
        return self._ticked or self._effective - self._acknowledged >= _AT_ONCE

    def tick(self) -> None:
        """Time passed: what is owed now is not put off any more."""
        self._ticked = self.owes

    def heard(self, first: int, count: int) -> None:
        """Pushes `first` to `first + count - 1` arrived.

        Raises:
            ProtocolViolationError: pushes are missing before them, or they came before.
        """
        if first != self._heard + 1:
            raise ProtocolViolationError(f"push {first} follows push {self._heard}")
        self._heard += count

    def took_effect(self, count: int) -> None:
        """The next `count` of those heard took effect."""
        assert self._effective + count <= self._heard, "only what was heard can take effect"
        self._effective += count

    def acknowledge(self) -> int:
        """The number to acknowledge now."""
        self._acknowledged = self._effective
        self._ticked = False
        return self._effective
