"""Append a batch in one round trip, where nothing has to be asked: what nearly every message is.

`append_batch` locks, looks and decides, then writes. Here the process decides on what its own last commits left, and the
packet holds the database to it: the UPDATE of the conversations finds them only as they are known (and locks them, ahead
of the INSERTs, as everywhere), and an identity that was stored before meets its unique key. Either way nothing is
committed, and the batch is for `append_batch`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from im_infra.sql.at_once import NOW, after, if_changed, not_before
from im_infra.sql.statements import Statement
from im_repo.log.advance import advance_conversations
from im_repo.log.append_batch import BatchResult, BatchTerms
from im_repo.log.draft import Draft
from im_repo.log.locked import LockedConversation
from im_repo.log.message_rows import insert_messages
from im_repo.log.new_entries import NewEntries, stored
from im_repo.log.values import STATUS_OPEN
from im_repo.outbox.rows import row_to_insert, rows_to_delete

_DIALECT: Final = "mysql"
_OUTBOX_AT: Final = 2


class AtOnce(NamedTuple):
    """A transaction for `Database.write_at_once`."""

    statements: Sequence[Statement]
    answer: Callable[[Sequence[int]], BatchResult]
    """What became of the batch, given the ids that the statements gave."""


def append_at_once(
    drafts: Sequence[Draft],
    conversations: dict[int, LockedConversation],
    *,
    message_ids: Sequence[int],
    terms: BatchTerms,
    confirmed: Sequence[int] = (),
    trace: bytes = b"",
) -> AtOnce | None:
    """Word the append of drafts, in their order; None: something about them has to be asked first.

    Args:
        drafts: one or more.
        conversations: theirs, as they are thought to be; they are changed.
        message_ids: as many new global ids.
        terms: what holds for all batches.
        confirmed: outbox rows that are done and go with this transaction.
        trace: the batch's span, where an entry is sampled: its outbox row keeps it.
    """
    if not all(_is_plain(draft, conversations[draft.conversation_id]) for draft in drafts):
        return None
    if len({draft[:3] for draft in drafts}) < len(drafts):
        return None
    entries = NewEntries()
    for draft, message_id in zip(drafts, message_ids, strict=True):
        conversation = conversations[draft.conversation_id]
        entries.add(draft, conversation, message_id, not_before(conversation.last_time), fanout=conversation.fanout)
    first, *others = entries.rows
    tested = (first[0], if_changed(len(conversations), first[1]), *first[2:])
    next_time = after(terms.sweep_after_ms)
    statements = [
        advance_conversations(list(conversations.values())),
        insert_messages(_DIALECT, [tested, *others]),
        row_to_insert(_DIALECT, entries.ranges, owner=terms.owner, now=NOW, next_time=next_time, trace=trace),
        *rows_to_delete(_DIALECT, confirmed),
    ]
    return AtOnce(statements, partial(_answer, entries, conversations, terms))


def _is_plain(draft: Draft, conversation: LockedConversation) -> bool:
    """Whether the conversation's row is all that decides about it, and lets it in."""
    return (
        draft.guards is None
        and draft.effects is None
        and draft.countable
        and not draft.seen_seq
        and conversation.status == STATUS_OPEN
        and draft.deny_version in {0, conversation.deny_version}
    )


def _answer(
    entries: NewEntries, conversations: dict[int, LockedConversation], terms: BatchTerms, ids: Sequence[int]
) -> BatchResult:
    now = ids[0]
    for conversation in conversations.values():
        conversation.last_time = conversation.active_time = max(now, conversation.last_time)
    outcomes = [
        stored(conversation, row, conversation.last_time, terms.bounds)
        for row in entries.rows
        for conversation in (conversations[row[0]],)
    ]
    return BatchResult([*outcomes], ids[_OUTBOX_AT], entries.ranges, conversations.values())
