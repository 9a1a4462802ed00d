"""Pushes coming in: their numbers, and how far they took effect."""

from im_infra.rpc.core.violation import ProtocolViolationError


class Hearing:
    """Cumulative acknowledgement: never of a push before its effect."""

    def __init__(self) -> None:
        self._heard = 0
        self._effective = 0
        self._acknowledged = 0

    @property
    def owes(self) -> bool:
        """Something took effect that was not acknowledged yet."""
        return self._effective != self._acknowledged

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
        return self._effective
