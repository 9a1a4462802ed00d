"""How soon a frame may follow the one before it. Pure: sizes and the time come in.

A message on a gRPC stream costs each of its sides some 100 to 250 µs whatever it carries, and an item in it a few: what
gathers for a moment goes for the price of one. The rest between two frames is 2 µs for each item a second beyond 1,000:
nothing below 1,500, where it would only be felt (500 messages a second are 1,200 answers and pushes on their way back);
4 ms at three thousand, where each frame then takes twelve. So the frames a second fall while the items rise.
"""

from typing import Final

_WINDOW_S: Final = 0.05
_UNPACED_RATE: Final = 1_000.0
_REST_S_PER_RATE: Final = 2e-6
_LEAST_REST_S: Final = 0.001
"""Below it nothing is gained, and the loop's timers are no finer."""
_MOST_REST_S: Final = 0.008
"""What a hop adds to a message's way at most."""


class Pace:
    """The pace of one direction of a stream."""

    def __init__(self) -> None:
        self._items = 0
        self._since = 0.0
        self._rest_s = 0.0

    def wrote(self, items: int, now: float) -> float:
        """Count a frame; returns how long to rest before the next one.

        Args:
            items: requests, answers and pushes in it.
            now: monotonic seconds.

        Returns:
            Seconds; 0: the next frame may go at once.
        """
        self._items += items
        lasted = now - self._since
        if lasted >= _WINDOW_S:
            rest_s = (self._items / lasted - _UNPACED_RATE) * _REST_S_PER_RATE
            self._rest_s = 0.0 if rest_s < _LEAST_REST_S else min(rest_s, _MOST_REST_S)
            self._items, self._since = 0, now
        return self._rest_s
