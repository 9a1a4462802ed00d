"""How much one frame may gather."""

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
