"""Entries of a large conversation on their round of its viewers: written to a share of them at a time.

A viewer for whom nothing else waits is written to at once. So a delivery to thousands is a write each and nothing
besides: no queue to put it into and to take it from. Where something waits, it goes behind it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from im_gateway.codec.abstract import Run
from im_gateway.connections.connection import Connection
from im_gateway.connections.hub import Hub
from im_gateway.delivery.entry_part import EntryPart
from im_gateway.delivery.interest import Interest


class EntryRound:
    """One round. It sets out with all that has gathered when its turn comes.

    Args:
        hub: the connections.
        interest: the conversation.
        on_end: called once everybody was written to.
    """

    __slots__ = ("_hub", "_interest", "_left", "_lowest", "_on_end", "_parts", "_whole")

    def __init__(self, hub: Hub, interest: Interest, *, on_end: Callable[["EntryRound"], None]) -> None:
        self._hub = hub
        self._interest = interest
        self._on_end = on_end
        self._left: Iterator[Connection] | None = None
        """Viewers who are still to be written to; None: it has not set out."""

    def write(self, most: int) -> int:
        """Write to the next `most` viewers; to how many it was: to fewer, once that is everybody."""
        share = list(islice(self._viewers(), most))
        self._tell(share, at_once=True)
        if len(share) < most:
            self._on_end(self)
        return len(share)

    def queue(self) -> None:
        """Queue it for everybody who is left, so that whatever comes next is behind it."""
        self._tell(self._viewers(), at_once=False)

    def _viewers(self) -> Iterator[Connection]:
        if self._left is None:
            self._left = self._set_out()
        return self._left

    def _set_out(self) -> Iterator[Connection]:
        """Take what has gathered: whoever comes to view from now on finds it in the log."""
        interest = self._interest
        parts = [EntryPart(entry) for entry in interest.take_gathered()]
        viewers = tuple(interest.viewers) if parts else ()
        if parts:
            self._parts = parts
            self._whole = parts[0].full if len(parts) == 1 else Run([part.full for part in parts])
            self._lowest = min(part.whole_from_seq for part in parts)
            tally = self._hub.tally
            tally.pushed_frames += len(parts) * len(viewers)
            tally.merged_entries += len(parts) - 1
            self._to_mentioned()
        return iter(viewers)

    def _tell(self, viewers: Iterable[Connection], *, at_once: bool) -> None:
        now = self._hub.monotonic()
        members = self._interest.members
        for connection in viewers:
            from_seq = members.get(connection)
            if from_seq is None:
                continue  # gone since it set out
            if from_seq > self._lowest:
                for part in self._parts:
                    part.push(connection, from_seq, now)
            elif at_once:
                connection.push_through(self._whole, now)
            else:
                connection.push(self._whole, now, crowd=True)

    def _to_mentioned(self) -> None:
        """Whoever is mentioned and does not view; 0 stands for everybody."""
        interest, hub = self._interest, self._hub
        now = hub.monotonic()
        for part in self._parts:
            user_ids = part.entry.mentioned_user_ids
            if not user_ids:
                continue
            if 0 in user_ids:
                mentioned = set(interest.members)
            else:
                mentioned = {each for user_id in user_ids for each in hub.of_user(user_id) if each in interest.members}
            mentioned -= interest.viewers
            for connection in mentioned:
                part.push(connection, interest.members[connection], now)
            hub.tally.pushed_frames += len(mentioned)
