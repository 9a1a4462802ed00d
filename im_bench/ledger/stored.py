"""A conversation's log as it was re-read at the end, and what it proves."""

from collections import defaultdict

from im_bench.ledger.correctness import Correctness
from im_bench.ledger.lane import SeenLane, Sight
from im_bench.ledger.ranges import Range, Ranges

AckedLanes = dict[int, list[Range]]
"""The acked numbers of a conversation's lanes, by sender."""


class StoredLog:
    """The messages of this run in one conversation, in the order of the log."""

    def __init__(self) -> None:
        self._lanes: defaultdict[int, SeenLane] = defaultdict(SeenLane)
        self._duplicate = 0
        self._out_of_order = 0

    def read(self, sender: int, number: int, seq: int) -> None:
        """The next message of the log."""
        sight = self._lanes[sender].see(number, seq, 0.0)
        self._duplicate += sight is Sight.DUPLICATE
        self._out_of_order += sight is Sight.OUT_OF_ORDER

    def faults(self, acked: AckedLanes) -> Correctness:
        """What is wrong with the log itself, whoever was pushed what."""
        unstored = sum(len(self._lanes[sender].numbers.lacking(ranges)) for sender, ranges in acked.items())
        return Correctness(unstored=unstored, duplicate=self._duplicate, out_of_order=self._out_of_order)

    def lost(self, acked: AckedLanes, seen: dict[int, Ranges]) -> int:
        """How many messages were acked, and neither pushed to one receiver nor stored.

        Args:
            acked: the lanes that the receiver should have been pushed.
            seen: what it was pushed, by sender.
        """
        count = 0
        for sender, ranges in acked.items():
            missing = seen.get(sender, Ranges()).lacking(ranges)
            count += sum(number not in self._lanes[sender].numbers for number in missing)
        return count
