"""What a session knew when it ended, and how another one goes on from it."""

from dataclasses import dataclass, field

from im_sdk._gap import Track
from im_sdk._inbox import Inbox
from im_sdk._models import Conversation
from im_sdk._outbox import Draft, Outbox
from im_sdk._sync import SyncPoint


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What another session of the same account goes on from."""

    point: SyncPoint = field(default_factory=SyncPoint)
    cursors: dict[int, tuple[int, int]] = field(default_factory=dict)
    """conversation_id → (epoch, seq)."""
    conversations: tuple[Conversation, ...] = ()
    drafts: tuple[Draft, ...] = ()


def take_snapshot(inbox: Inbox) -> Snapshot:
    """What an inbox knows of the logs."""
    cursors = {key: (track.epoch, track.seq) for key, track in inbox.tracks.items() if not track.fresh}
    return Snapshot(inbox.sync.point, cursors, tuple(inbox.pictures()))


def restore(snapshot: Snapshot, inbox: Inbox, outbox: Outbox) -> None:
    """Fill an empty inbox and an empty outbox."""
    for conversation_id, (epoch, seq) in snapshot.cursors.items():
        inbox.tracks[conversation_id] = Track(epoch=epoch, seq=seq)
    for kept in snapshot.conversations:
        epoch = snapshot.cursors.get(kept.conversation_id, (-1, 0))[0]
        inbox.directory.enter(kept.conversation_id).restore(kept, epoch=epoch)
        # A head that an earlier sync told is not told again: it stays known.
        inbox.tracks.setdefault(kept.conversation_id, Track(fresh=True)).tell(kept.max_seq)
    for draft in snapshot.drafts:
        outbox.add(draft)
