"""What one step of a session changed: written in one transaction, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from im_sdk._commands import Command, SendAcknowledged, SendRefused
from im_sdk._errors import ClosedError
from im_sdk._events import (
    ConversationRewound,
    Event,
    MessageChanged,
    MessageReceived,
    MessageSent,
    NoticeReceived,
)
from im_sdk._inbox import Inbox
from im_sdk._models import Conversation, Message
from im_sdk._sync import SyncPoint


@dataclass(slots=True)
class Progress:
    """Cursors never run ahead of the messages they stand for, nor the sync point ahead of its heads."""

    point: SyncPoint
    log: list[Message | MessageChanged | ConversationRewound] = field(default_factory=list)
    """What happened to the logs, in order."""
    conversations: dict[int, Conversation | None] = field(default_factory=dict)
    """None: not ours any more."""
    cursors: dict[int, tuple[int, int]] = field(default_factory=dict)
    """conversation_id → (epoch, seq)."""
    settled: list[str] = field(default_factory=list)
    """Drafts that are stored on the server or refused for good."""

    def __bool__(self) -> bool:
        return bool(self.log or self.conversations or self.settled)


def collect(inbox: Inbox, events: Sequence[Event], commands: Sequence[Command]) -> Progress:
    """What changed since the last call; it takes the inbox's marks of what is dirty."""
    progress = Progress(inbox.sync.point)
    for event in events:
        match event:
            case MessageReceived(message) | MessageSent(message) | NoticeReceived(message):
                progress.log.append(message)
            case MessageChanged() | ConversationRewound():
                progress.log.append(event)
            case _:
                pass
    for command in commands:
        match command:
            case SendAcknowledged(sent):
                progress.settled.append(sent.client_message_id)
            case SendRefused(_, client_message_id, error) if not isinstance(error, ClosedError):
                progress.settled.append(client_message_id)
            case _:
                pass
    for conversation_id in inbox.dirty:
        listing = inbox.directory.find(conversation_id)
        progress.conversations[conversation_id] = inbox.picture(listing) if listing is not None else None
        track = inbox.tracks.get(conversation_id)
        if track is not None and not track.fresh:
            progress.cursors[conversation_id] = (track.epoch, track.seq)
    inbox.dirty.clear()
    return progress
