"""How much one frame may gather."""

from collections.abc import Iterable
from typing import NamedTuple


class Limits(NamedTuple):
    """Room in one frame."""

    items: int
    """Requests, answers and pushes together."""
    size: int
    """Bytes of their bodies; a first body that is larger goes alone."""

    def minus(self, items: int, size: int) -> "Limits":
        """What is left after so much."""
        return Limits(self.items - items, self.size - size)

    def half(self) -> "Limits":
        """An equal share for each of two."""
        return Limits(self.items // 2, self.size // 2)

    def fitting(self, sizes: Iterable[int], *, alone: bool) -> tuple[int, int]:
        """How many of the next bodies fit, and their bytes.

        Args:
            sizes: bytes of each that waits, in order.
            alone: the frame is empty, so that a first body may be larger than the room.
        """
        count = taken = 0
        for size in sizes:
            if count >= self.items or (taken + size > self.size and (count or not alone)):
                break
            count += 1
            taken += size
        return count, taken
