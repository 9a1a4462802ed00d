"""A lane: one sender in one conversation. Its messages are numbered 1, 2, 3 … so that numbers alone tell what went wrong."""

from bisect import bisect_left
from enum import IntEnum
from typing import Final

from im_bench.ledger.ranges import Ranges

CLIENTS_PULL_AFTER_S: Final = 1.0
"""A client that sees a hole waits 0.4 to 1 s and then pulls it: what is pushed later it drops."""


class Sight(IntEnum):
    """What a pushed message says about its lane."""

    GOOD = 0
    DUPLICATE = 1
    OUT_OF_ORDER = 2
    GAP = 3
    """Numbers below it have not come yet."""
    LATE = 4


class SeenLane:
    """A lane as one receiver sees it."""

    __slots__ = ("_highest", "_hole_ends", "_hole_times", "_last_seq", "numbers")

    def __init__(self) -> None:
        self.numbers = Ranges()
        self._highest = 0
        self._last_seq = 0
        # Holes in the order of their numbers: each one's last number, and when it was seen. A client pulls each in its time.
        self._hole_ends: list[int] = []
        self._hole_times: list[float] = []

    def see(self, number: int, seq: int, now: float) -> Sight:
        """Message `number` came.

        Args:
            number: its number in the lane.
            seq: its place in the log; 0: the server has none.
            now: monotonic seconds.
        """
        if not self.numbers.add(number):
            return Sight.DUPLICATE
        if number < self._highest:
            seen_time = self._hole_times[bisect_left(self._hole_ends, number)]
            if self.numbers.whole:
                self._hole_ends.clear()
                self._hole_times.clear()
            return Sight.LATE if now - seen_time > CLIENTS_PULL_AFTER_S else Sight.OUT_OF_ORDER
        skipped = number != self._highest + 1
        if skipped:
            self._hole_ends.append(number - 1)
            self._hole_times.append(now)
        backwards = 0 < seq < self._last_seq
        self._highest, self._last_seq = number, seq
        if backwards:
            return Sight.OUT_OF_ORDER
        return Sight.GAP if skipped else Sight.GOOD


class SentLane:
    """A lane as its sender sees it."""

    __slots__ = ("acked", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.acked = Ranges()

    def next(self) -> int:
        """The number of the next message."""
        self.sent += 1
        return self.sent
