"""Append a batch of entries in one transaction: the unit at the heart of the product.

Lock the conversations, look for what is stored already, decide entry by entry, then leave a handful of statements to be
run with the COMMIT: two packets on a server, unless members change. `seq` is given under the lock, so a batch that is
rolled back leaves no hole. A refused entry fails alone.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.statements import Closing, Statement, read_together, write_together
from im_repo.log import guards
from im_repo.log.again import conflict
from im_repo.log.change_members import change_members
from im_repo.log.draft import Draft, Effects, FirstAck, Guards, Outcome, Range, Recheck, Stored
from im_repo.log.fanout_class import FanoutBounds, other_fanout
from im_repo.log.locked import LockedConversation, lock_answer, lock_question, save_conversations
from im_repo.log.lookups import Lookups, Questions, asks_target
from im_repo.log.membership_events import MembershipEvents
from im_repo.log.membership_rules import Plan
from im_repo.log.message_rows import insert_messages, stored_answer, stored_question
from im_repo.log.new_entries import NewEntries, stored
from im_repo.log.notice import with_owner
from im_repo.log.target_writes import TargetChange, change_targets
from im_repo.log.values import FLAG_RECALLED, STATUS_OPEN
from im_repo.outbox.rows import row_to_insert, rows_to_delete

_NO_GUARDS = Guards()


class BatchTerms(NamedTuple):
    """What holds for all batches of a process."""

    owner: str
    """The boot that counts confirmations."""
    sweep_after_ms: int
    """The age at which a row that was not confirmed is delivered again."""
    bounds: FanoutBounds


class BatchResult(NamedTuple):
    """What became of a batch, once it is committed."""

    outcomes: list[Outcome]
    """One for each draft, in their order."""
    outbox_id: int
    """The row that guards the fan-out of what was stored; 0: nothing was."""
    ranges: list[Range]
    conversations: Collection[LockedConversation]
    """As they are committed."""


def append_batch(
    connection: Connection,
    drafts: Sequence[Draft],
    *,
    message_ids: Sequence[int],
    terms: BatchTerms,
    confirmed: Sequence[int] = (),
    trace: bytes = b"",
) -> Closing[BatchResult]:
    """Append drafts, in their order: a unit of `Database.write_closing`.

    Args:
        connection: inside a write transaction.
        drafts: one or more.
        message_ids: as many new global ids.
        terms: what holds for all batches.
        confirmed: outbox rows that are done and go with this transaction.
        trace: the batch's span, where an entry is sampled: its outbox row keeps it.
    """
    batch = _Batch(connection, drafts, terms, trace)
    outcomes = [batch.append(draft, message_id) for draft, message_id in zip(drafts, message_ids, strict=True)]
    return batch.close(outcomes, confirmed)


class _Batch:
    """The state in memory between the first statements of the transaction and the last."""

    def __init__(self, connection: Connection, drafts: Sequence[Draft], terms: BatchTerms, trace: bytes) -> None:
        self._connection = connection
        self._trace = trace
        self._dialect = dialect = connection.dialect.name
        self._terms = terms
        identities = {draft[:3] for draft in drafts}
        questions = Questions(drafts)
        answers = iter(
            read_together(
                connection,
                [
                    lock_question(dialect, [draft.conversation_id for draft in drafts]),
                    stored_question(dialect, identities),
                    *questions.ask(dialect),
                ],
            )
        )
        self._now, self._conversations = lock_answer(dialect, next(answers))
        self._stored = stored_answer(next(answers))
        self._repeats = len(identities) < len(drafts)
        self._lookups = Lookups(connection, questions, answers)
        self._entries = NewEntries()
        self._targets: list[TargetChange] = []
        self._events = MembershipEvents()

    def append(self, draft: Draft, message_id: int) -> Outcome:
        """Decide one draft, and change the state as if it were written."""
        conversation = self._conversations.get(draft.conversation_id)
        if conversation is None:
            return ImError(error_table.CONVERSATION_NOT_FOUND)
        now = max(self._now, conversation.last_time)
        first = self._stored.get(draft[:3])
        if first is not None:
            return self._again(draft, first, conversation, now)
        if conversation.status != STATUS_OPEN:
            return ImError(error_table.CONVERSATION_DISSOLVED)
        if draft.deny_version and draft.deny_version != conversation.deny_version:
            return Recheck(
                conversation.conversation_id, conversation.member_version, conversation.deny_version, conversation.epoch
            )
        if draft.guards is None and draft.effects is None:
            return self._store(draft, conversation, message_id, now)
        return self._check_and_store(draft, conversation, message_id, now)

    def close(self, outcomes: list[Outcome], confirmed: Sequence[int]) -> Closing[BatchResult]:
        """What is left to write, in the one order of locks, and the result that comes of it."""
        statements = self._writes() if self._entries.rows else []
        outbox_at = len(statements) - 1
        statements += rows_to_delete(self._dialect, confirmed)
        ranges, conversations = self._entries.ranges, self._conversations.values()
        return Closing(
            statements,
            lambda ids: BatchResult(outcomes, ids[outbox_at] if outbox_at >= 0 else 0, ranges, conversations),
        )

    def _writes(self) -> list[Statement]:
        """The last of them is the outbox row's."""
        dialect, now = self._dialect, self._now
        statements = self._lookups.moves.take(dialect)
        if self._events:
            write_together(self._connection, statements)  # pts are given under locks that come after the cursors'
            statements = []
            self._events.write(self._connection, now)
        statements.append(insert_messages(dialect, self._entries.rows))
        statements += change_targets(dialect, self._targets)
        statements.append(save_conversations(dialect, self._conversations.values()))
        next_time = now + self._terms.sweep_after_ms
        statements.append(
            row_to_insert(
                dialect, self._entries.ranges, owner=self._terms.owner, now=now, next_time=next_time, trace=self._trace
            )
        )
        return statements

    def _again(self, draft: Draft, first: FirstAck, conversation: LockedConversation, now: int) -> Outcome:
        """The same id was stored before: the first ack, or a conflict that carries it."""
        if first.digest != draft.digest:
            return conflict(draft[:3], first)
        return Stored(
            draft.conversation_id,
            first.seq,
            first.count,
            first.message_id,
            first.server_time,
            conversation.member_version,
            conversation.deny_version,
            conversation.fanout,
            conversation.epoch,
            duplicate=True,
            previous_fanout=self._other_fanout(conversation, now),
            changed=draft.effects.members if draft.effects is not None else (),
        )

    def _check_and_store(self, draft: Draft, conversation: LockedConversation, message_id: int, now: int) -> Outcome:
        refusal = self._refuse(draft, conversation, now)
        if refusal is not None:
            return refusal
        effects = draft.effects
        if effects is None:
            return self._store(draft, conversation, message_id, now)
        fanout = conversation.fanout
        try:
            plan = change_members(
                self._connection,
                conversation,
                effects,
                guards=draft.guards,
                seq=conversation.max_seq + 1,
                count=conversation.max_count + draft.countable,
                now=now,
                bounds=self._terms.bounds,
                moves=self._lookups.moves,
            )
        except ImError as error:
            return error
        if effects.hand_on_ownership and plan.owner_id:
            draft = draft._replace(body=with_owner(draft.body, plan.owner_id))
        stored = self._store(draft, conversation, message_id, now, range_fanout=fanout)
        self._take_effects(stored, draft, effects, plan)
        return stored

    def _refuse(self, draft: Draft, conversation: LockedConversation, now: int) -> ImError | None:
        asked = draft.guards or _NO_GUARDS
        lookups = self._lookups
        refusal = None
        if asked.sender_min_role:
            place = lookups.place(draft.conversation_id, draft.sender_id)
            refusal = guards.refuse_sender(asked, place, kind=conversation.kind)
        if refusal is None and asks_target(draft):
            visible = lookups.is_visible(conversation, draft.sender_id, draft.ref_seq)
            edits = draft.effects is not None and draft.effects.edit_target
            refusal = guards.refuse_target(asked, lookups.target(draft), edits=edits, visible=visible, now=now)
        if refusal is None and asked.min_gap_ms:
            refusal = guards.refuse_gap(asked, last_send_time=lookups.last_send(draft), now=now)
        return refusal

    def _take_effects(self, stored: Stored, draft: Draft, effects: Effects, plan: Plan) -> None:
        if plan.changes:
            self._events.add(stored, plan)
        if effects.blank_target or effects.edit_target:
            change = TargetChange(draft.conversation_id, draft.ref_seq, stored.seq, blanks=effects.blank_target)
            self._targets.append(change)
        if effects.blank_target:
            self._lookups.recalled((draft.conversation_id, draft.ref_seq), FLAG_RECALLED)

    def _store(
        self, draft: Draft, conversation: LockedConversation, message_id: int, now: int, *, range_fanout: int = 0
    ) -> Stored:
        self._entries.add(draft, conversation, message_id, now, fanout=range_fanout or conversation.fanout)
        row = self._entries.rows[-1]
        conversation.last_time = now
        if draft.countable:
            conversation.active_time = now
        if self._repeats:
            self._stored[draft[:3]] = FirstAck(draft.digest, row[1], row[2], message_id, now)
        if draft.seen_seq and draft.sender_id:
            self._lookups.see(conversation, draft.sender_id, draft.seen_seq)
        if draft.guards is not None or draft.effects is not None or self._lookups.has_targets:
            self._lookups.stored(draft, seq=row[1], flags=row[9], now=now)
        return stored(conversation, row, now, self._terms.bounds)

    def _other_fanout(self, conversation: LockedConversation, now: int) -> int:
        return other_fanout(
            conversation.fanout, changed_time=conversation.fanout_time, now=now, bounds=self._terms.bounds
        )
