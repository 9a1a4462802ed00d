"""How busy a large conversation is at this gateway, and so how long its entries gather: rules only."""

import math
from typing import Final

_MEMORY_S: Final = 1.0
"""What happened so long ago counts for 1/e."""
_STEPS: Final = ((1, 0.020), (5, 0.100), (25, 0.250))
"""From so many times the lowest rate on, entries gather for so many seconds."""


class Heat:
    """Entries and deliveries a second of one conversation, decaying.

    Gathering pays where a second entry comes within it: a write costs a connection about 10 µs, each further entry in
    it about one. Where deliveries are few it would be delay for nothing.
    """

    __slots__ = ("_at", "_deliveries", "_entries")

    def __init__(self) -> None:
        self._at = 0.0
        self._entries = 0.0
        self._deliveries = 0.0

    def add(self, receivers: int, now: float) -> None:
        """An entry came, for so many connections; `now` in monotonic seconds."""
        fade = math.exp(-max(0.0, now - self._at) / _MEMORY_S)
        self._at = now
        self._entries = self._entries * fade + 1.0
        self._deliveries = self._deliveries * fade + receivers

    def gather_s(self, from_per_s: float) -> float:
        """Seconds that the next write may wait; 0: write now.

        Args:
            from_per_s: deliveries a second at which the first step begins.
        """
        gather = 0.0
        for times, seconds in _STEPS:
            if self._deliveries < from_per_s * times * _MEMORY_S:
                break
            gather = seconds
        return gather if self._entries * gather >= _MEMORY_S else 0.0
