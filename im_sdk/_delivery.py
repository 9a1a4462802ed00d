"""Entries that passed the gap rule become events, in order."""

from collections.abc import Callable, Sequence
from typing import Final

from im_proto.v1 import message_pb2
from im_sdk import _convert
from im_sdk._directory import Directory, Listing
from im_sdk._events import (
    ChangeKind,
    Event,
    MessageChanged,
    MessageReceived,
    MessageSent,
    MessagesUnavailable,
    NoticeReceived,
    Unavailability,
)
from im_sdk._gap import Lost, Track
from im_sdk._puller import Entry, Tracks
from im_sdk._received import ReceivedCursors

_EDIT: Final = message_pb2.MESSAGE_TYPE_EDIT
_CHANGES: Final = (_EDIT, message_pb2.MESSAGE_TYPE_RECALL)
_NOTICE: Final = message_pb2.MESSAGE_TYPE_NOTICE


class Delivery:
    """Shows entries, and notes what follows from them.

    Args:
        tracks: where this client stands.
        directory: the list, which entries move.
        events: where events are put.
        received: what is to be acknowledged.
        dirty: conversations that changed.
        ask_head: reads a head again where an entry leaves the list uncertain.
        acknowledge_members: receipts for conversations of at most so many members; 0: none.
    """

    __slots__ = ("_acknowledge_members", "_ask_head", "_directory", "_dirty", "_events", "_received", "_tracks", "me")

    def __init__(
        self,
        tracks: Tracks,
        directory: Directory,
        *,
        events: list[Event],
        received: ReceivedCursors,
        dirty: set[int],
        ask_head: Callable[[int, float], None],
        acknowledge_members: int,
    ) -> None:
        self.me = 0
        self._tracks = tracks
        self._directory = directory
        self._events = events
        self._received = received
        self._dirty = dirty
        self._ask_head = ask_head
        self._acknowledge_members = acknowledge_members

    def deliver(self, conversation_id: int, ready: Sequence[Entry | Lost], skipped: bool, now: float) -> None:  # noqa: FBT001
        """Show what comes next of a conversation.

        Args:
            conversation_id: which.
            ready: entries in order, and the holes between them.
            skipped: the holes were left out by us, and can be read as history.
            now: monotonic seconds.
        """
        track = self._tracks[conversation_id]
        listing = self._directory.enter(conversation_id)
        received = 0
        for item in ready:
            if isinstance(item, Lost):
                self._show_hole(listing, item, Unavailability.SKIPPED if skipped else Unavailability.GONE)
                continue
            if item.sender_id != self.me:
                received = item.seq
            if item.type in _CHANGES:
                self._show_change(track, listing, item, now)
            else:
                self._show_message(track, listing, item)
        if received and listing.takes_receipts(self._acknowledge_members):
            self._received.advance(conversation_id, received)
        if not listing.unread.settled:
            self._ask_head(conversation_id, now)
        self._dirty.add(conversation_id)

    def _show_message(self, track: Track[Entry], listing: Listing, entry: Entry) -> None:
        message = _convert.message(entry, self.me)
        if entry.changed_seq > entry.seq:
            track.note_change(entry.seq, entry.changed_seq)
        if entry.type == _NOTICE:
            if message.notice is not None and entry.seq > listing.max_seq:
                listing.apply_notice(message.notice)
            self._events.append(NoticeReceived(message))
        elif message.outgoing:
            self._events.append(MessageSent(message))
        else:
            self._events.append(MessageReceived(message))
        listing.apply_message(message, entry.count)

    def _show_hole(self, listing: Listing, hole: Lost, reason: Unavailability) -> None:
        self._events.append(MessagesUnavailable(listing.conversation_id, hole.from_seq, hole.to_seq, reason))
        listing.unread.missed(hole.to_seq)

    def _show_change(self, track: Track[Entry], listing: Listing, entry: Entry, now: float) -> None:
        edited = entry.type == _EDIT
        bare = edited and entry.content.WhichOneof("body") is None  # blanked by a recall that follows
        listing.max_seq = max(listing.max_seq, entry.seq)
        if not edited:  # shown as recalled already, maybe; but the count that it was in is from before
            listing.unread.recalled(entry.ref_seq, entry.seq)
        if bare or not track.is_news(entry.ref_seq, entry.seq):
            return
        kind = ChangeKind.EDITED if edited else ChangeKind.RECALLED
        text = entry.content.edit.text if edited else None
        self._events.append(
            MessageChanged(
                entry.conversation_id, entry.ref_seq, kind, text, entry.sender_id, entry.server_time, entry.seq
            )
        )
        last = listing.last_message
        if last is not None and last.seq == entry.ref_seq:
            self._ask_head(entry.conversation_id, now)
