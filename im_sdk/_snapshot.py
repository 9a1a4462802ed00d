"""What a session knew when it ended."""

from dataclasses import dataclass, field

from im_sdk._models import Conversation
from im_sdk._outbox import Draft
from im_sdk._sync import SyncPoint


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What another session of the same account goes on from."""

    point: SyncPoint = field(default_factory=SyncPoint)
    cursors: dict[int, tuple[int, int]] = field(default_factory=dict)
    """conversation_id → (epoch, seq)."""
    conversations: tuple[Conversation, ...] = ()
    drafts: tuple[Draft, ...] = ()
