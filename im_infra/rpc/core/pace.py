"""How soon a frame may follow the one before it. Pure: sizes and the time come in.

A message on a gRPC stream costs each of its sides some 100 to 250 µs whatever it carries, and an item in it a few: what
gathers for a moment goes for the price of one. So the frames a second fall while the items rise. A full frame with
more behind it is followed at once: what gathers then goes for no less.

Requests rest early, since what gathers where it comes in stays together: one frame to logic becomes one to repo, one
transaction, and one frame back on each hop. Answers and pushes rest under load only, where they would wait anyway.
"""

from typing import Final, NamedTuple

_WINDOW_S: Final = 0.05
_LEAST_REST_S: Final = 0.001
"""Below it nothing is gained, and the loop's timers are no finer."""
_MOST_REST_S: Final = 0.005
"""What a hop adds to a message's way at most."""


class PaceRule(NamedTuple):
    """How the rest between two frames grows with the load."""

    free_per_s: float
    """Items a second for which there is no rest."""
    rest_s_per_rate: float
    """Seconds of rest for each item a second beyond them."""


REQUESTS: Final = PaceRule(free_per_s=0.0, rest_s_per_rate=4e-6)
"""Nothing below 250 a second; 4 ms at a thousand, which 500 messages a second are with their receipts."""
ANSWERS: Final = PaceRule(free_per_s=1_000.0, rest_s_per_rate=2e-6)
"""Nothing below 1,500 a second (500 messages are 1,200 answers and pushes); 4 ms at three thousand."""


class Pace:
    """The pace of one direction of a stream.

    Args:
        rule: of that direction.
    """

    def __init__(self, rule: PaceRule) -> None:
        self._rule = rule
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
            rest_s = (self._items / lasted - self._rule.free_per_s) * self._rule.rest_s_per_rate
            self._rest_s = 0.0 if rest_s < _LEAST_REST_S else min(rest_s, _MOST_REST_S)
            self._items, self._since = 0, now
        return self._rest_s
