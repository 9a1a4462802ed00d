"""When entries of large conversations go to local connections: at once, or with those that follow while it is hot.

A gateway that gathers has taken its entries as it takes what waits in a connection's queue: both go with the process,
and clients that resume elsewhere pull what they miss. So gathering delays no acknowledgement, and drops nothing. What
comes while a round is under way gathers for the next one: a gateway that falls behind writes less often, not more.
"""

from collections.abc import Callable
from typing import Final

from im_gateway.connections.hub import Hub
from im_gateway.delivery.entry_round import EntryRound
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
        later: schedules a round.
    """

    def __init__(self, hub: Hub, *, merge_from_per_s: float, later: Later) -> None:
        self._hub = hub
        self._merge_from_per_s = merge_from_per_s
        self._later = later
        self._under_way: dict[Interest, EntryRound] = {}
        """The present round of each conversation that has one."""

    def add(self, interest: Interest, entry: FanOutEntry, now: float) -> None:
        """Take the next entry of a conversation; `settle` or `flush` sends it."""
        gathered = interest.gathered
        size = len(entry.frame)
        if gathered and (interest.gathered_bytes + size > _MAX_RUN_BYTES or len(gathered) >= _MAX_RUN_ENTRIES):
            self.flush(interest)  # full: it goes into the connections' own queues
        interest.gathered.append(entry)
        interest.gathered_bytes += size
        interest.heat.add(len(interest.viewers), now)

    def settle(self, interest: Interest) -> None:
        """Send what was added: as soon as it has gathered long enough, and the round before it is done."""
        if not interest.gathered or interest.gathering or interest in self._under_way:
            return
        seconds = interest.heat.gather_s(self._merge_from_per_s)
        if not seconds:
            self._begin(interest)
            return
        interest.gathering = True
        self._later(seconds, lambda: self._gathered(interest))

    def flush(self, interest: Interest) -> None:
        """Queue what was added for everybody who is to have it, now."""
        under_way = self._under_way.pop(interest, None)
        if under_way is not None:
            under_way.queue()
        if interest.gathered:
            self._round(interest).queue()

    def _gathered(self, interest: Interest) -> None:
        interest.gathering = False
        if interest.gathered and interest not in self._under_way:
            self._begin(interest)

    def _begin(self, interest: Interest) -> None:
        begun = self._under_way[interest] = self._round(interest)
        self._hub.flusher.add_round(begun)

    def _round(self, interest: Interest) -> EntryRound:
        return EntryRound(self._hub, interest, on_end=lambda ended: self._ended(interest, ended))

    def _ended(self, interest: Interest, ended: EntryRound) -> None:
        if self._under_way.get(interest) is ended:
            del self._under_way[interest]
            self.settle(interest)
