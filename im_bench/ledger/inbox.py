"""What one receiver was pushed in one conversation."""

from im_bench.ledger.lane import SeenLane
from im_bench.ledger.ranges import Ranges
from im_bench.ledger.stored import AckedLanes


class Inbox:
    """One connection in one conversation.

    Args:
        person: who reads; own messages are not pushed to their sender.
        start_seq: the log's head when the run joined it: what lies below is not its business.
    """

    __slots__ = ("lanes", "person", "seqs", "start_seq")

    def __init__(self, person: int, start_seq: int) -> None:
        self.person = person
        self.start_seq = start_seq
        self.seqs = Ranges(start_seq)
        """The log's entries that came, own ones among them: an entry pushed again is a repeat, which clients drop."""
        self.lanes: dict[int, SeenLane] = {}

    def lane(self, sender: int) -> SeenLane:
        """The lane of a sender."""
        lane = self.lanes.get(sender)
        if lane is None:
            lane = self.lanes[sender] = SeenLane()
        return lane

    def owed(self, acked: AckedLanes) -> AckedLanes:
        """The lanes that this receiver should have seen: all but its own."""
        return {sender: ranges for sender, ranges in acked.items() if sender != self.person}

    def complete(self, acked: AckedLanes) -> bool:
        """Whether everything acked was pushed."""
        empty = Ranges()
        return not any(
            (self.lanes[sender].numbers if sender in self.lanes else empty).lacking(ranges)
            for sender, ranges in self.owed(acked).items()
        )
