"""What the decisions of a batch rest on, asked with few statements: targets, last sends and counts for all drafts."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from im_infra.sql.statements import Rows, Statement
from im_repo.conversations.windows import Window, is_visible, visible_spans
from im_repo.log.cursor_writes import CursorKey, CursorMoves, last_sends_answer, last_sends_question
from im_repo.log.draft import Draft, Place, Target
from im_repo.log.locked import LockedConversation
from im_repo.log.member_rows import find_places, find_windows
from im_repo.log.message_rows import EntryPlace, counts_answer, counts_question, targets_answer, targets_question


def asks_target(draft: Draft) -> bool:
    """Whether the draft can only be decided with its target."""
    effects, guards = draft.effects, draft.guards
    return (guards is not None and guards.ask_target) or (
        effects is not None and (effects.blank_target or effects.edit_target)
    )


class Questions:
    """What a batch has to know of more than its conversations and identities, asked at once with those."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        complex_drafts = [draft for draft in drafts if draft.guards is not None or draft.effects is not None]
        self.targets = {(draft.conversation_id, draft.ref_seq) for draft in complex_drafts if asks_target(draft)}
        self.slow = {
            (draft.sender_id, draft.conversation_id)
            for draft in complex_drafts
            if draft.guards is not None and draft.guards.min_gap_ms
        }
        self.seen = {(draft.conversation_id, draft.seen_seq) for draft in drafts if draft.seen_seq and draft.sender_id}

    def ask(self, dialect: str) -> list[Statement]:
        """One statement for each kind that is wanted; `Lookups` takes the answers."""
        statements = []
        if self.targets:
            statements.append(targets_question(dialect, self.targets))
        if self.slow:
            statements.append(last_sends_question(dialect, self.slow))
        if self.seen:
            statements.append(counts_question(dialect, self.seen))
        return statements


class Lookups:
    """The state that guards are asked against, kept in step with what the batch itself has stored so far.

    Args:
        connection: inside the batch's transaction; its conversations are locked.
        questions: what was asked.
        answers: what was answered, in the order of `Questions.ask`.
    """

    def __init__(self, connection: Connection, questions: Questions, answers: Iterator[Rows]) -> None:
        self._connection = connection
        self._wanted = questions.targets
        self.has_targets = bool(self._wanted)
        """Some draft is about an entry: then `stored` has to be told of all of them, since it may be that entry."""
        self._targets = targets_answer(next(answers)) if questions.targets else {}
        self._last_sends = last_sends_answer(next(answers)) if questions.slow else {}
        self._counts = counts_answer(next(answers)) if questions.seen else {}
        self._windows: dict[CursorKey, tuple[Window, ...]] = {}
        self.moves = CursorMoves()
        """What this batch has to write to cursors."""

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

    def see(self, conversation: LockedConversation, user_id: int, seq: int) -> None:
        """The sender read up to `seq`, or to what is committed: nobody can have seen more."""
        committed = conversation.first_seq - 1
        count = conversation.count_before if seq >= committed else self._counts.get((conversation.conversation_id, seq))
        if committed and count is not None:
            self.moves.read((user_id, conversation.conversation_id), min(seq, committed), count)

    def last_send(self, draft: Draft) -> int:
        """When the sender last sent here under slow mode; 0: never."""
        return self._last_sends.get((draft.sender_id, draft.conversation_id), 0)

    def stored(self, draft: Draft, *, seq: int, flags: int, now: int) -> None:
        """The draft was accepted: later drafts of the batch are decided after it."""
        key = (draft.sender_id, draft.conversation_id)
        if draft.guards is not None and draft.guards.min_gap_ms:
            self._last_sends[key] = now
            self.moves.sent(key, now)
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
