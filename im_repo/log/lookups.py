"""What the guards of a batch ask for, read with few statements: targets and last sends for all drafts at once."""

from collections.abc import Sequence

from sqlalchemy import Connection

from im_repo.conversations.windows import Window, is_visible, visible_spans
from im_repo.log.cursor_writes import CursorKey, find_last_sends
from im_repo.log.draft import Draft, Place, Target
from im_repo.log.locked import LockedConversation
from im_repo.log.member_rows import find_places, find_windows
from im_repo.log.message_rows import EntryPlace, find_targets


def asks_target(draft: Draft) -> bool:
    """Whether the draft can only be decided with its target."""
    effects, guards = draft.effects, draft.guards
    return (guards is not None and guards.ask_target) or (
        effects is not None and (effects.blank_target or effects.edit_target)
    )


class Lookups:
    """The state that guards are asked against, kept in step with what the batch itself has stored so far.

    Made under the locks of the batch's conversations.
    """

    def __init__(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        self._connection = connection
        complex_drafts = [draft for draft in drafts if draft.guards is not None or draft.effects is not None]
        self._wanted = {(draft.conversation_id, draft.ref_seq) for draft in complex_drafts if asks_target(draft)}
        self.has_targets = bool(self._wanted)
        """Some draft is about an entry: then `stored` has to be told of all of them, since it may be that entry."""
        self._targets = find_targets(connection, self._wanted)
        slow = {
            (draft.sender_id, draft.conversation_id)
            for draft in complex_drafts
            if draft.guards is not None and draft.guards.min_gap_ms
        }
        self._last_sends = find_last_sends(connection, slow)
        self._windows: dict[CursorKey, tuple[Window, ...]] = {}
        self.sent: dict[CursorKey, int] = {}
        """The last sends that this batch has to write down."""

    def target(self, draft: Draft) -> Target | None:
        """The entry that the draft is about."""
        return self._targets.get((draft.conversation_id, draft.ref_seq))

    def is_visible(self, conversation: LockedConversation, user_id: int, seq: int) -> bool:
        """Whether the entry lies in the user's windows; the server sees everything."""
        if not user_id:
            return True
        key = (user_id, conversation.conversation_id)
        windows = self._windows.get(key)
        if windows is None:
            windows = find_windows(self._connection, conversation.conversation_id, user_id, kind=conversation.kind)
            self._windows[key] = windows
        return is_visible(seq, visible_spans(windows, min_seq=conversation.min_seq, max_seq=conversation.max_seq))

    def place(self, conversation_id: int, user_id: int) -> Place | None:
        """The user's member row, locked."""
        return find_places(self._connection, conversation_id, (user_id,)).get(user_id)

    def last_send(self, draft: Draft) -> int:
        """When the sender last sent here under slow mode; 0: never."""
        return self._last_sends.get((draft.sender_id, draft.conversation_id), 0)

    def stored(self, draft: Draft, *, seq: int, flags: int, now: int) -> None:
        """The draft was accepted: later drafts of the batch are decided after it."""
        key = (draft.sender_id, draft.conversation_id)
        if draft.guards is not None and draft.guards.min_gap_ms:
            self._last_sends[key] = self.sent[key] = now
        place = (draft.conversation_id, seq)
        if place in self._wanted:
            self._targets[place] = Target(draft.sender_id, draft.type, flags, now)
        if draft.effects is not None and draft.effects.members:
            for change in draft.effects.members:
                self._windows.pop((change.user_id, draft.conversation_id), None)

    def recalled(self, place: EntryPlace, recalled_flag: int) -> None:
        """The entry there was recalled by a draft of this batch."""
        target = self._targets[place]
        self._targets[place] = target._replace(flags=target.flags | recalled_flag)
