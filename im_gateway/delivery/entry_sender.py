"""Entries of large conversations on their way to local connections: one write each, or one for several while it is hot.

A gateway that gathers has taken its entries as it takes what waits in a connection's queue: both go with the process,
and clients that resume elsewhere pull what they miss. So gathering delays no acknowledgement, and drops nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final

from im_gateway.codec.abstract import Outgoing, Run
from im_gateway.connections.connection import Connection
from im_gateway.connections.hub import Hub
from im_gateway.delivery.interest import Interest
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry

_MAX_RUN_BYTES: Final = 32_768
_MAX_RUN_ENTRIES: Final = 128
"""A quarter of what may wait at a connection."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls back after so many seconds: the loop's `call_later`."""


class EntrySender:
    """Sends entries to those who view their conversation, and to those whom they mention.

    Args:
        hub: the connections.
        merge_from_per_s: deliveries of one conversation a second from which its entries gather.
        later: schedules a write.
    """

    def __init__(self, hub: Hub, *, merge_from_per_s: float, later: Later) -> None:
        self._hub = hub
        self._merge_from_per_s = merge_from_per_s
        self._later = later

    def add(self, interest: Interest, entry: FanOutEntry, now: float) -> None:
        """Take the next entry of a conversation; `settle` or `flush` sends it."""
        gathered = interest.gathered
        size = len(entry.frame)
        if gathered and (interest.gathered_bytes + size > _MAX_RUN_BYTES or len(gathered) >= _MAX_RUN_ENTRIES):
            self.flush(interest)  # full: it goes now
        interest.gathered.append(entry)
        interest.gathered_bytes += size
        interest.heat.add(len(interest.viewers), now)

    def settle(self, interest: Interest) -> None:
        """Send what was added, now or as soon as it has gathered long enough."""
        if not interest.gathered or interest.gathering:
            return
        seconds = interest.heat.gather_s(self._merge_from_per_s)
        if not seconds:
            self.flush(interest)
            return
        interest.gathering = True
        self._later(seconds, lambda: self._gathered(interest))

    def flush(self, interest: Interest) -> None:
        """Send what was added, now."""
        entries = interest.gathered
        if not entries:
            return
        interest.gathered = []
        interest.gathered_bytes = 0
        now = self._hub.monotonic()
        parts = [_Part(entry) for entry in entries]
        self._to_viewers(interest, parts, now)
        for part in parts:
            if part.entry.mentioned_user_ids:
                self._to_mentioned(interest, part, now)

    def _gathered(self, interest: Interest) -> None:
        interest.gathering = False
        self.flush(interest)

    def _to_viewers(self, interest: Interest, parts: "Sequence[_Part]", now: float) -> None:
        whole = parts[0].full if len(parts) == 1 else Run([part.full for part in parts])
        lowest = min(part.whole_from_seq for part in parts)
        members, tally = interest.members, self._hub.tally
        for connection in tuple(interest.viewers):
            from_seq = members[connection]
            if from_seq <= lowest:
                connection.push(whole, now, crowd=True)
            else:
                for part in parts:
                    part.push(connection, from_seq, now)
        tally.pushed_frames += len(parts) * len(interest.viewers)
        tally.merged_entries += len(parts) - 1

    def _to_mentioned(self, interest: Interest, part: "_Part", now: float) -> None:
        """Whoever is mentioned and does not view; 0 stands for everybody."""
        user_ids = part.entry.mentioned_user_ids
        members = interest.members
        if 0 in user_ids:
            mentioned = set(members)
        else:
            mentioned = {each for user_id in user_ids for each in self._hub.of_user(user_id) if each in members}
        mentioned -= interest.viewers
        for connection in mentioned:
            part.push(connection, members[connection], now)
        self._hub.tally.pushed_frames += len(mentioned)


class _Part:
    """An entry, as those get it who may see what it refers to, and as the others do."""

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
