"""Large fan-out, the local part: entries in order to those who view, heads to the others.

Entries of a conversation go out in the order of its log. Before a gap, or when membership changed in a way this
gateway did not see, entries wait until it was looked up; waiting is bounded, and over the bound clients are told to
compare for themselves.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from im_gateway.codec import frames
from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.hub import Hub
from im_gateway.delivery.entry_sender import EntrySender
from im_gateway.delivery.heads import Heads
from im_gateway.delivery.interest import Interest, Interests
from im_gateway.delivery.ring import RingEntry
from im_proto.gateway.v1.gateway_pb2 import FanOut, FanOutEntry
from im_proto.v1.frame_pb2 import ServerFrame

OnDone = Callable[[int], None]
"""Called once, when every frame is in the local queues or gathers for them; takes the number of interested connections."""


class Lookup(Protocol):
    """What fan-out asks logic for."""

    def pull(
        self, interest: Interest, from_seq: int, to_seq: int, on_entries: Callable[[Sequence[FanOutEntry] | None], None]
    ) -> None:
        """The entries from_seq to to_seq, all of them, or None."""
        ...

    def revalidate(self, interest: Interest, from_seq: int, on_done: Callable[[], None]) -> None:
        """Ask for every local member whether it still is one, and put those out that are not."""
        ...


class FanOutDesk:
    """Sends entries of large conversations to local connections.

    Args:
        hub: the connections.
        interests: who is in what.
        heads: tells those who do not view.
        sender: sends to those who do.
        lookup: asks logic.
        max_waiting: entries of one conversation that may wait.
    """

    def __init__(
        self, hub: Hub, interests: Interests, heads: Heads, sender: EntrySender, lookup: Lookup, *, max_waiting: int
    ) -> None:
        self._hub = hub
        self._interests = interests
        self._heads = heads
        self._sender = sender
        self._lookup = lookup
        self._max_waiting = max_waiting
        self._waiting: dict[int, deque[tuple[FanOut, OnDone]]] = {}

    @property
    def waiting_entries(self) -> int:
        """Entries that wait behind a gap or a look at the members."""
        return sum(len(fan_out.entries) for waiting in self._waiting.values() for fan_out, _ in waiting)

    def on_fan_out(self, fan_out: FanOut, on_done: OnDone) -> None:
        """Take entries of a conversation, ascending by seq; repeated ones are dropped."""
        interest = self._interests.find(fan_out.conversation_id)
        if interest is None:
            on_done(0)
            return
        waiting = self._waiting.get(fan_out.conversation_id)
        if waiting is None:
            self._next(interest, fan_out, on_done)
            return
        if sum(len(each.entries) for each, _ in waiting) + len(fan_out.entries) > self._max_waiting:
            self._overflow(interest, waiting)
        waiting.append((fan_out, on_done))

    def check(self, conversation_ids: Iterable[int] | None) -> int:
        """Tell the connections that are interested in these, or in any, to compare; how many were told."""
        ids = conversation_ids
        interests = list(self._interests.all()) if ids is None else [self._interests.find(one) for one in ids]
        told = [interest for interest in interests if interest is not None]
        for interest in told:
            self._check(interest)
        return sum(len(interest.members) for interest in told)

    def _next(self, interest: Interest, fan_out: FanOut, on_done: OnDone) -> None:
        if fan_out.epoch != interest.epoch:
            self._sender.flush(interest)
            interest.epoch = fan_out.epoch
            interest.last_seq = 0
            interest.ring.clear()
            interest.readers.clear()
        entries = [entry for entry in fan_out.entries if entry.seq > interest.last_seq]
        if not entries:
            on_done(len(interest.members))
            return
        first = entries[0].seq
        if interest.last_seq and first > interest.last_seq + 1:
            self._wait(interest)
            self._lookup.pull(
                interest,
                interest.last_seq + 1,
                first - 1,
                lambda pulled: self._filled(interest, pulled, first - 1, fan_out, on_done),
            )
        elif self._missed_a_change(interest, fan_out, entries):
            self._wait(interest)
            self._lookup.revalidate(interest, first, lambda: self._revalidated(interest, fan_out, on_done))
        else:
            self._send(interest, entries)
            on_done(len(interest.members))

    def _missed_a_change(self, interest: Interest, fan_out: FanOut, entries: Sequence[FanOutEntry]) -> bool:
        if interest.conversation_id == self._interests.world_id:
            return False
        seen = max(
            (change.member_version for entry in entries for change in entry.changes), default=interest.member_version
        )
        return fan_out.member_version > max(seen, interest.member_version)

    def _filled(
        self, interest: Interest, pulled: Sequence[FanOutEntry] | None, to_seq: int, fan_out: FanOut, on_done: OnDone
    ) -> None:
        if pulled is None:
            interest.last_seq = max(interest.last_seq, to_seq)
            self._check(interest)
        else:
            self._hub.tally.filled_gaps += 1
            self._send(interest, pulled)
        self._resume(interest, fan_out, on_done)

    def _revalidated(self, interest: Interest, fan_out: FanOut, on_done: OnDone) -> None:
        interest.member_version = max(interest.member_version, fan_out.member_version)
        self._resume(interest, fan_out, on_done)

    def _wait(self, interest: Interest) -> None:
        interest.filling = True
        self._waiting.setdefault(interest.conversation_id, deque())  # bounded by max_waiting entries: over it, check

    def _resume(self, interest: Interest, fan_out: FanOut, on_done: OnDone) -> None:
        """Go on with what waited for a lookup, until one has to be made again."""
        interest.filling = False
        waiting = self._waiting.pop(interest.conversation_id)
        waiting.appendleft((fan_out, on_done))
        while waiting:
            self._next(interest, *waiting.popleft())
            held = self._waiting.get(interest.conversation_id)
            if held is not None:
                held.extend(waiting)
                return

    def _overflow(self, interest: Interest, waiting: deque[tuple[FanOut, OnDone]]) -> None:
        """Too much waits: give the entries up, tell clients to compare, and count them as sent."""
        self._sender.flush(interest)
        for fan_out, on_done in waiting:
            for entry in fan_out.entries:
                self._apply_changes(interest, entry, coming=True)
                self._apply_changes(interest, entry, coming=False)
            on_done(len(interest.members))
        waiting.clear()
        self._check(interest)

    def _check(self, interest: Interest) -> None:
        outgoing = Outgoing(frames.check_frame(conversation_ids=(interest.conversation_id,)))
        now = self._hub.monotonic()
        self._hub.tally.checks += len(interest.members)
        for connection in interest.members:
            connection.push(outgoing, now, crowd=True)

    def _send(self, interest: Interest, entries: Sequence[FanOutEntry]) -> None:
        now = self._hub.monotonic()
        for entry in entries:
            if entry.seq <= interest.last_seq:
                continue
            if entry.changes:
                self._apply_changes(interest, entry, coming=True)
                self._sender.add(interest, entry, now)
                self._sender.flush(interest)
                self._apply_changes(interest, entry, coming=False)
            else:
                self._sender.add(interest, entry, now)
            interest.last_seq = entry.seq
            interest.max_count = max(interest.max_count, entry.count)
            if entry.ref_seq and _changes_target(entry):
                interest.ring.evict(entry.ref_seq)
            interest.ring.add(RingEntry(entry.seq, entry.ref_seq, entry.frame, entry.bare_frame))
        self._sender.settle(interest)
        self._hub.tally.fanned_out_entries += len(entries)
        self._interests.budget.touched(interest.conversation_id, interest.ring)
        self._heads.moved(interest)

    def _apply_changes(self, interest: Interest, entry: FanOutEntry, *, coming: bool) -> None:
        """Who comes sees the entry that says so; who goes does so after it."""
        for change in entry.changes:
            if coming and change.from_seq:
                self._interests.come(change)
            elif not coming and not change.from_seq:
                self._interests.go(interest.conversation_id, change.user_id)
            interest.member_version = max(interest.member_version, change.member_version)


def _changes_target(entry: FanOutEntry) -> bool:
    """Whether an entry with a target changes it (edit, recall) instead of answering it."""
    message = ServerFrame.FromString(entry.frame).message_push.message
    return message.recalled or message.type >= _FIRST_CHANGE


_FIRST_CHANGE = 4
"""MESSAGE_TYPE_EDIT; RECALL follows, and whatever comes later with a target is treated as a change, to be safe."""
