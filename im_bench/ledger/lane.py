"""A lane: one sender in one conversation. Its messages are numbered 1, 2, 3 … so that numbers alone tell what went wrong."""

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

    __slots__ = ("_gap_time", "_highest", "_last_seq", "numbers")

    def __init__(self) -> None:
        self.numbers = Ranges()
        self._highest = 0
        self._last_seq = 0
        self._gap_time = 0.0

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
            return Sight.LATE if now - self._gap_time > CLIENTS_PULL_AFTER_S else Sight.OUT_OF_ORDER
        skipped = number != self._highest + 1
        backwards = 0 < seq < self._last_seq
        self._highest, self._last_seq = number, seq
        if backwards:
            return Sight.OUT_OF_ORDER
        if skipped:
            self._gap_time = now
            return Sight.GAP
        return Sight.GOOD


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
