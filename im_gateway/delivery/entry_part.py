"""An entry as those get it who may see what it refers to, and as the others do."""

from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.connection import Connection
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry


class EntryPart:
    """One entry of a write.

    Args:
        entry: which.
    """

    __slots__ = ("bare", "entry", "full", "whole_from_seq")

    def __init__(self, entry: FanOutEntry) -> None:
        self.entry = entry
        self.full = Outgoing(entry.frame)
        self.bare = Outgoing(entry.bare_frame) if entry.ref_seq and entry.bare_frame else self.full
        self.whole_from_seq = entry.seq if self.bare is self.full else min(entry.seq, entry.ref_seq)
        """Whoever may read from here on, or from before, gets it in full."""

    def push(self, connection: Connection, from_seq: int, now: float) -> None:
        """To one who may read from `from_seq` on."""
        if self.entry.seq >= from_seq:
            connection.push(self.full if self.entry.ref_seq >= from_seq else self.bare, now, crowd=True)
