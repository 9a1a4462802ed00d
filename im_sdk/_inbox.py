"""Everything that comes in about conversations: pushes, heads, receipts and account events become events in order.

Entries pass the gap rule (`Track`), what is missing is read (`Puller`), the list is kept up to date (`Directory`).
"""

import random
from collections.abc import Iterable, Sequence

from im_proto.v1 import conversation_pb2, message_pb2, read_pb2, sync_pb2
from im_sdk import _convert
from im_sdk._delivery import Delivery
from im_sdk._directory import Directory, Listing
from im_sdk._errors import ImError
from im_sdk._events import (
    ConversationChanged,
    ConversationLeft,
    ConversationRewound,
    Event,
    ReceiptReceived,
)
from im_sdk._gap import Track
from im_sdk._models import Conversation, Membership
from im_sdk._puller import FORBIDDEN, Ask, Entry, Puller, Tracks
from im_sdk._received import ReceivedCursors
from im_sdk._screen import Screen
from im_sdk._settings import SessionSettings
from im_sdk._sync import Sync, SyncPoint


class Inbox:
    """What one account has of its conversations.

    Args:
        settings: the session's constants.
        ask: puts a question to the server that belongs to this connection.
        events: where events are put, in order.
        point: where the sync begins.
        source: the jitter's randomness.
    """

    def __init__(
        self, settings: SessionSettings, *, ask: Ask, events: list[Event], point: SyncPoint, source: random.Random
    ) -> None:
        self.tracks: Tracks = {}
        self.directory = Directory()
        self.received = ReceivedCursors(interval_s=settings.acknowledge_interval_s)
        self.dirty: set[int] = set()
        """Conversations that changed since a store last asked."""
        self.screen = Screen(self.directory, self.tracks, catch_up=settings.catch_up)
        self.delivery = Delivery(
            self.tracks,
            self.directory,
            events=events,
            received=self.received,
            dirty=self.dirty,
            ask_head=self.ask_head,
            acknowledge_members=settings.acknowledge_members if settings.acknowledge else 0,
        )
        self.paused = False
        """The application does not keep up: bodies are dropped and read later."""
        self._ask = ask
        self._events = events
        self._heads_asked: set[int] = set()
        self._heads_outdated: set[int] = set()
        """Of those, the ones whose answer may be from before this account came or left."""
        self._outdated_in_sync: set[int] = set()
        """The heads of the sync under way may be from before this account came into these, or left them."""
        self.puller = Puller(
            self.tracks,
            ask=ask,
            on_entries=self.delivery.deliver,
            on_epoch=self._rewind,
            on_forbidden=self.ask_head,  # it knows: this account may be back in by now
            settings=settings,
            source=source,
        )
        self.sync = Sync(
            point,
            ask=ask,
            open_conversations=self.screen.open_conversations,
            on_event=self._apply_event,
            on_push=self._take_pushed_event,
            on_head=self._take_synced_head,
            on_reset=self._reset,
            on_finished=self._synced,
        )

    @property
    def me(self) -> int:
        """The account."""
        return self.delivery.me

    # what comes from the server

    def take_push(self, push: message_pb2.MessagePush, now: float) -> None:
        """A new entry, pushed."""
        entry = push.message
        self.take_entry(entry, push.epoch, now)

    def take_entry(self, entry: Entry, epoch: int, now: float) -> None:
        """A new entry of an epoch, by the push rule."""
        conversation_id = entry.conversation_id
        track = self.tracks.get(conversation_id)
        if track is None:
            track = self._discover(conversation_id, now)
        if track.epoch != epoch and not track.fresh:
            if epoch > track.epoch:
                self.puller.want(conversation_id, even_if_level=True)
            return
        if self.paused:
            track.tell(entry.seq)
            return
        ready = track.offer(entry.seq, entry)
        if ready:
            self.delivery.deliver(conversation_id, ready, False, now)
        if track.known_seq > track.seq or track.fresh:
            if track.fresh:
                self.puller.want(conversation_id)
            else:
                self.puller.hold(conversation_id, now)

    def take_head(self, head: conversation_pb2.Head, log_starts_here: bool, now: float) -> None:  # noqa: FBT001
        """A conversation's head, by the head rule.

        Args:
            head: it.
            log_starts_here: the first sync: what lies below the head is history, not news.
            now: monotonic seconds.
        """
        wire = head.conversation
        conversation_id = wire.conversation_id
        listing = self.directory.enter(conversation_id)
        track = self.tracks.get(conversation_id)
        if track is None:
            known = log_starts_here or head.max_seq == 0
            track = Track(epoch=wire.epoch, seq=head.max_seq) if known else Track(fresh=True)
            self.tracks[conversation_id] = track
        before = listing.picture(0)
        listing.apply_head(head, self.delivery.me)
        if head.read_seq > listing.unread.read_seq:  # entries have overtaken the head; its cursor is news all the same
            self.take_read(conversation_id, head.read_seq, now)
        if wire.epoch > track.epoch and not track.fresh:
            self._rewind(conversation_id, wire.epoch, wire.rewind_seq, now)
        track.tell(head.max_seq)
        self.sync.note(conversation_id)
        if listing.picture(0) != before:
            self._changed(listing)
        if not listing.unread.settled:
            self.ask_head(conversation_id, now)
        if track.behind and self.screen.follows(listing):
            self.puller.want(conversation_id)

    def take_marks(self, push: read_pb2.HeadPush, now: float) -> None:
        """Heads of large conversations that are not on screen."""
        for mark in push.heads:
            conversation_id = mark.conversation_id
            listing, track = self.directory.find(conversation_id), self.tracks.get(conversation_id)
            if listing is None or track is None:
                self._discover(conversation_id, now)
                continue
            if track.epoch != mark.epoch and not track.fresh:
                self.puller.want(conversation_id, even_if_level=True)
                continue
            if not listing.large:  # it grew: from here on its messages are pushed only where it is viewed
                listing.large = True
                if conversation_id in self.screen.conversation_ids:
                    self.view(self.screen.conversation_ids, now)
            listing.apply_mark(mark.max_seq, mark.max_count)
            track.tell(mark.max_seq)
            self._changed(listing)
            if track.behind and self.screen.follows(listing):
                self.puller.want(conversation_id)

    def take_receipts(self, push: read_pb2.ReceiptPush) -> None:
        """Others received or read."""
        for receipt in push.receipts:
            listing = self.directory.find(receipt.conversation_id)
            if listing is not None:
                listing.apply_receipt(receipt.user_id, receipt.received_seq, receipt.read_seq)
                self.dirty.add(receipt.conversation_id)
            self._events.append(
                ReceiptReceived(receipt.conversation_id, receipt.user_id, receipt.received_seq, receipt.read_seq)
            )

    def take_read(self, conversation_id: int, read_seq: int, now: float, *, answer_follows: bool = False) -> None:
        """The account's read cursor moved.

        Args:
            conversation_id: where.
            read_seq: up to here.
            now: monotonic seconds.
            answer_follows: the server's count is under way already, and need not be asked for.
        """
        listing = self.directory.find(conversation_id)
        if listing is None:
            return
        before = (listing.unread.read_seq, listing.unread.count)
        listing.apply_read(read_seq)
        if before != (listing.unread.read_seq, listing.unread.count):
            self._changed(listing)
        if not answer_follows and not listing.unread.settled:
            self.ask_head(conversation_id, now)

    def take_count(self, answer: read_pb2.MarkReadResponse, now: float) -> None:
        """The server moved the read cursor and counted what is left."""
        listing = self.directory.find(answer.conversation_id)
        if listing is None:
            return
        before = (listing.unread.read_seq, listing.unread.count)
        listing.apply_read(answer.read_seq)
        if answer.max_seq:  # older servers do not say of which moment their count is
            listing.unread.told(answer.unread, max_seq=answer.max_seq, read_seq=answer.read_seq)
        if before != (listing.unread.read_seq, listing.unread.count):
            self._changed(listing)
        if not listing.unread.settled:
            self.ask_head(answer.conversation_id, now)

    def read_failed(self, conversation_id: int, now: float) -> None:
        """A read that was shown at once did not reach the server."""
        listing = self.directory.find(conversation_id)
        if listing is not None:
            listing.unread.unread_again()
            self._changed(listing)
            self.ask_head(conversation_id, now)

    def take_check(self, conversation_ids: Sequence[int], *, account: bool, now: float) -> None:
        """Pushes may have been lost: compare."""
        for conversation_id in conversation_ids:
            if conversation_id in self.tracks:
                self.puller.want(conversation_id, even_if_level=True)
            else:
                self._discover(conversation_id, now)
        if account or not conversation_ids:
            self.sync.light(now)

    # what the application wants

    def view(self, conversation_ids: Iterable[int], now: float) -> None:
        """What is on screen from here on; to be called again on each connection."""
        self.screen.conversation_ids = tuple(conversation_ids)
        for conversation_id in self.screen.conversation_ids:
            track = self.tracks.get(conversation_id)
            if track is not None and track.behind:
                self.puller.want(conversation_id)
        large = self.screen.large()

        def done(answer: read_pb2.ViewResponse | None, _error: ImError | None, _now: float) -> None:
            if answer is not None:  # pull once, to close the gap before the view
                for conversation_id in large:
                    self.puller.want(conversation_id, even_if_level=True)

        self._ask("view", read_pb2.ViewRequest(conversation_ids=large), done, now)

    def pause(self) -> None:
        """Drop bodies; what they would have said is read after `go_on`."""
        self.paused = True
        self.puller.open = False

    def go_on(self, *, synced: bool) -> None:
        """The application keeps up again."""
        self.paused = False
        if synced:
            self._read_on()

    def pictures(self) -> list[Conversation]:
        """All conversations of this moment, the most recently active first."""
        listed = [self.picture(listing) for listing in self.directory]
        listed.sort(key=lambda c: (-c.active_time, c.conversation_id))
        return listed

    def picture(self, listing: Listing) -> Conversation:
        """One conversation of this moment."""
        track = self.tracks.get(listing.conversation_id)
        return listing.picture(track.seq if track is not None and not track.fresh else 0)

    def connection_lost(self) -> None:
        """Reads that ran are void."""
        self.puller.connection_lost()
        self.sync.connection_lost()
        self.received.connection_lost()
        self._heads_asked.clear()
        self._heads_outdated.clear()
        self._outdated_in_sync.clear()

    def ask_head(self, conversation_id: int, now: float) -> None:
        """Read one conversation's head again."""
        if conversation_id in self._heads_asked:
            return
        self._heads_asked.add(conversation_id)

        def done(answer: conversation_pb2.GetConversationResponse | None, error: ImError | None, now: float) -> None:
            self._heads_asked.discard(conversation_id)
            if conversation_id in self._heads_outdated:
                self._heads_outdated.discard(conversation_id)
                self.ask_head(conversation_id, now)
            elif answer is not None:
                self.take_head(answer.head, False, now)
                listing = self.directory.find(conversation_id)
                if listing is not None and answer.head.max_seq < listing.unread.settles_at:
                    self.ask_head(conversation_id, now)  # this one was under way before what has to be counted
            elif error is not None and error.number in FORBIDDEN:
                self._forbidden(conversation_id)
            else:
                self.sync.retry_at = now + 1  # a light sync tells it as well

        request = conversation_pb2.GetConversationRequest(conversation_id=conversation_id)
        self._ask("get_conversation", request, done, now)

    # within

    def _take_synced_head(self, head: conversation_pb2.Head, log_starts_here: bool, now: float) -> None:  # noqa: FBT001
        """A head of the sync under way, unless it may say that this account is where it just left, or is not where it came."""
        conversation_id = head.conversation.conversation_id
        if conversation_id in self._outdated_in_sync:
            self.ask_head(conversation_id, now)
        else:
            self.take_head(head, log_starts_here, now)

    def _discover(self, conversation_id: int, now: float) -> Track[Entry]:
        track = self.tracks.get(conversation_id)
        if track is None:
            track = self.tracks[conversation_id] = Track(fresh=True)
        self.sync.note(conversation_id)
        self.ask_head(conversation_id, now)
        return track

    def _take_pushed_event(self, event: sync_pb2.AccountEvent, now: float) -> None:
        """An account event of this moment: the heads of a sync under way may be from before it."""
        if self.sync.running and (event.HasField("joined") or event.HasField("left")):
            self._outdated_in_sync.add(event.joined.conversation_id or event.left.conversation_id)
        self._apply_event(event, now)

    def _apply_event(self, event: sync_pb2.AccountEvent, now: float) -> None:
        change = event.WhichOneof("change")
        if change == "read_moved":
            self.take_read(event.read_moved.conversation_id, event.read_moved.read_seq, now)
        elif change == "joined":
            self._outdate_head(event.joined.conversation_id)
            self._discover(event.joined.conversation_id, now)
        elif change == "left":
            self._outdate_head(event.left.conversation_id)
            self._left(event.left.conversation_id, _convert.membership(event.left.state))

    def _outdate_head(self, conversation_id: int) -> None:
        if conversation_id in self._heads_asked:
            self._heads_outdated.add(conversation_id)

    def _left(self, conversation_id: int, membership: Membership) -> None:
        listing = self.directory.find(conversation_id)
        if listing is None or listing.membership is membership:
            return
        listing.membership = membership
        self.received.forget(conversation_id)
        self.dirty.add(conversation_id)
        self._events.append(ConversationLeft(conversation_id, membership))

    def _forbidden(self, conversation_id: int) -> None:
        listing = self.directory.find(conversation_id)
        if listing is not None and listing.membership is Membership.IN:
            self._left(conversation_id, Membership.NONE)
        if listing is None or listing.membership is Membership.NONE:
            self._drop(conversation_id)

    def _drop(self, conversation_id: int) -> None:
        self.tracks.pop(conversation_id, None)
        self.directory.remove(conversation_id)
        self.puller.forget(conversation_id)
        self.received.forget(conversation_id)
        self.dirty.add(conversation_id)

    def _reset(self, seen: set[int]) -> None:
        for conversation_id in self.directory.ids() - seen:
            self._left(conversation_id, Membership.NONE)
            self._drop(conversation_id)

    def _rewind(self, conversation_id: int, epoch: int, rewind_seq: int, now: float) -> None:
        if self.tracks[conversation_id].rewind(epoch=epoch, rewind_seq=rewind_seq):
            self._events.append(ConversationRewound(conversation_id, rewind_seq))
        listing = self.directory.find(conversation_id)
        if listing is not None and listing.epoch < epoch:
            self.ask_head(conversation_id, now)
        self.received.forget(conversation_id)
        self.dirty.add(conversation_id)

    def _synced(self, now: float) -> None:
        self._outdated_in_sync.clear()
        for listing in self.directory:
            if not listing.unread.settled:  # asked on an earlier connection, maybe, and never answered
                self.ask_head(listing.conversation_id, now)
        if not self.paused:
            self._read_on()

    def _read_on(self) -> None:
        """Read all that is behind: a head told by an earlier sync is not told again by the next one."""
        self.puller.open = True
        for conversation_id, track in self.tracks.items():
            if track.behind:
                listing = self.directory.find(conversation_id)
                if listing is None or self.screen.follows(listing):
                    self.puller.want(conversation_id)

    def _changed(self, listing: Listing) -> None:
        self.dirty.add(listing.conversation_id)
        self._events.append(ConversationChanged(self.picture(listing)))
