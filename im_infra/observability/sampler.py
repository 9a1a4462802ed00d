"""Which messages are sampled: a share of all, drawn by lot, and never more than so many a second. No I/O; time passed in."""

import math
from collections.abc import Callable
from typing import Final

_NEVER: Final = 1 << 62


class Sampler:
    """Draws how many messages to leave out until the next sampled one, so that those cost a subtraction each.

    Args:
        ratio: the share of messages that are sampled, 0 to 1.
        max_per_s: traces that begin a second at most, those that clients ask for included; a burst of as many.
        monotonic: seconds.
        chance: random in [0, 1).
    """

    def __init__(
        self, ratio: float, *, max_per_s: float, monotonic: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._ratio = ratio
        self._max_per_s = max_per_s
        self._monotonic = monotonic
        self._chance = chance
        self._left = max_per_s
        self._filled_at = monotonic()
        self._skip = self._draw()

    def due(self) -> bool:
        """Whether the message at hand is sampled; asked once for each."""
        if self._skip:
            self._skip -= 1
            return False
        self._skip = self._draw()
        return self.admit()

    def admit(self) -> bool:
        """Whether one more trace may begin this second."""
        now = self._monotonic()
        self._left = min(self._max_per_s, self._left + (now - self._filled_at) * self._max_per_s)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _draw(self) -> int:
        """How many are left out: geometrically distributed, as if each had been drawn by itself."""
        if self._ratio <= 0:
            return _NEVER
        if self._ratio >= 1:
            return 0
        return min(_NEVER, int(math.log(1.0 - self._chance()) / math.log1p(-self._ratio)))
