"""The unit at the heart: order, once, fence, refusals that fail alone, and what lies in the tables after it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event, select, update

from im_infra.errors import ImError
from im_proto.repo.v1.stream_pb2 import OutboxRanges
from im_proto.v1.message_pb2 import Content, MembersChange, Notice, SendResponse
from im_repo.log.draft import Effects, Guards, MemberChange, Range, Recheck, Stored
from im_repo.log.fanout_class import FanoutBounds
from im_repo.schema import CONVERSATION, CURSOR, MEMBER, MESSAGE, OUTBOX, USER_EVENT

LOG, OTHER = 70, 71


@pytest.fixture(autouse=True)
def conversations(seed: Any) -> None:
    seed.user(*range(1, 8))
    seed.conversation(LOG, 1, 2, 3)
    seed.conversation(OTHER, 1, 2)


def row_of(connection: Connection, conversation_id: int = LOG) -> Any:
    return connection.execute(select(CONVERSATION).where(CONVERSATION.c.conversation_id == conversation_id)).one()


def entry(connection: Connection, seq: int, conversation_id: int = LOG) -> Any:
    this = (MESSAGE.c.conversation_id == conversation_id) & (MESSAGE.c.seq == seq)
    return connection.execute(select(MESSAGE).where(this)).one()


def refused(outcome: object) -> str:
    assert isinstance(outcome, ImError), outcome
    return outcome.reason.name


def test_seq_is_dense_per_conversation_and_in_the_order_of_drafts(
    connection: Connection, append: Any, draft: Any
) -> None:
    """Conversations interleave; each gets its own 1, 2, 3."""
    result = append(draft(LOG, 1), draft(OTHER, 1), draft(LOG, 2), draft(LOG, 1), draft(OTHER, 2))
    assert [(one.conversation_id, one.seq) for one in result.outcomes] == [
        (LOG, 1), (OTHER, 1), (LOG, 2), (LOG, 3), (OTHER, 2),
    ]  # fmt: skip
    assert row_of(connection).max_seq == 3
    assert connection.scalars(select(MESSAGE.c.seq).where(MESSAGE.c.conversation_id == LOG)).all() == [1, 2, 3]


def test_only_countable_entries_are_counted_and_move_the_list(connection: Connection, store: Any, draft: Any) -> None:
    """An uncounted entry keeps the running count, and moves last_time but not active_time."""
    before = row_of(connection).active_time
    silent = store(draft(LOG, 1, countable=False))
    assert (silent.seq, silent.count) == (1, 0)
    assert (row_of(connection).active_time, row_of(connection).last_time) == (before, silent.server_time)
    counted = store(draft(LOG, 1))
    assert (counted.seq, counted.count) == (2, 1)
    assert row_of(connection).active_time == counted.server_time


def test_the_ack_carries_what_was_stored(connection: Connection, store: Any, draft: Any) -> None:
    """Everything in the ack can be read back."""
    one = draft(LOG, 2, ref_seq=9, body=b"\x0a\x02hi")
    ack = store(one)
    stored = entry(connection, ack.seq)
    assert (stored.message_id, stored.server_time, stored.count) == (ack.message_id, ack.server_time, ack.count)
    assert (stored.client_message_id, stored.digest, stored.body) == (one.client_message_id, one.digest, b"\x0a\x02hi")
    assert (stored.sender_id, stored.ref_seq, stored.type, stored.flags) == (2, 9, 1, 4)
    assert (ack.member_version, ack.deny_version, ack.epoch, ack.fanout, ack.duplicate) == (1, 1, 1, 1, False)


def test_times_never_fall_within_a_log(connection: Connection, store: Any, draft: Any) -> None:
    """A database clock behind the last entry stands still until it has caught up."""
    connection.execute(update(CONVERSATION).values(last_time=1 << 60))
    assert store(draft(LOG, 1)).server_time == 1 << 60


def test_the_same_id_again_answers_the_first_ack(append: Any, store: Any, draft: Any) -> None:
    """Stored once; the second ack has the first one's numbers and is marked."""
    one = draft(LOG, 1)
    first = store(one)
    store(draft(LOG, 2))
    again = store(one)
    assert again.duplicate
    assert (again.seq, again.count, again.message_id, again.server_time) == (
        first.seq, first.count, first.message_id, first.server_time,
    )  # fmt: skip


def test_the_same_id_twice_in_one_batch_is_stored_once(connection: Connection, append: Any, draft: Any) -> None:
    """The second of a batch finds the first before it is written."""
    one = draft(LOG, 1)
    result = append(one, draft(LOG, 1), one)
    assert [outcome.seq for outcome in result.outcomes] == [1, 2, 1]
    assert [outcome.duplicate for outcome in result.outcomes] == [False, False, True]
    assert row_of(connection).max_seq == 2


def test_the_same_id_of_another_sender_or_conversation_is_another_message(append: Any, draft: Any) -> None:
    """An id belongs to its sender and conversation."""
    one = draft(LOG, 1)
    result = append(one, one._replace(sender_id=2), one._replace(conversation_id=OTHER))
    assert [outcome.duplicate for outcome in result.outcomes] == [False, False, False]


def test_the_same_id_with_other_content_is_a_conflict_that_carries_the_ack(
    append_one: Any, store: Any, draft: Any
) -> None:
    """In a later batch."""
    one = draft(LOG, 1)
    first = store(one)
    error = append_one(one._replace(digest=b"x" * 16))
    assert refused(error) == "CONFLICT"
    detail = SendResponse.FromString(error.detail)
    assert (detail.seq, detail.message_id, detail.duplicate) == (first.seq, first.message_id, True)
    assert UUID(detail.client_message_id).bytes == one.client_message_id


def test_a_conflict_within_a_batch_refuses_the_second_only(append: Any, draft: Any) -> None:
    """The neighbours are stored."""
    one = draft(LOG, 1)
    result = append(one, one._replace(digest=b"x" * 16), draft(LOG, 1))
    assert isinstance(result.outcomes[0], Stored)
    assert refused(result.outcomes[1]) == "CONFLICT"
    assert result.outcomes[2].seq == 2


def test_an_id_whose_first_use_was_refused_may_be_used_again(append: Any, draft: Any) -> None:
    """A refusal means that nothing was stored."""
    slow = draft(LOG, 1, guards=Guards(sender_min_role=3))
    result = append(slow, slow._replace(guards=None))
    assert refused(result.outcomes[0]) == "PERMISSION_DENIED"
    assert (result.outcomes[1].seq, result.outcomes[1].duplicate) == (1, False)


def test_an_unknown_conversation_refuses_alone(append: Any, draft: Any) -> None:
    """The neighbours are stored."""
    result = append(draft(999, 1), draft(LOG, 1))
    assert refused(result.outcomes[0]) == "CONVERSATION_NOT_FOUND"
    assert result.outcomes[1].seq == 1


def test_a_batch_of_unknown_conversations_writes_nothing(connection: Connection, append: Any, draft: Any) -> None:
    """Not even an outbox row."""
    assert append(draft(999, 1)).outbox_id == 0
    assert connection.execute(select(OUTBOX)).all() == []


def test_a_dissolved_conversation_takes_nothing_but_still_answers_duplicates(
    append_one: Any, store: Any, draft: Any
) -> None:
    """What was stored before the end answers its ack."""
    one = draft(LOG, 1)
    first = store(one)
    end = draft(LOG, 1, type=3, countable=False, effects=Effects(dissolve=True))
    last = store(end)
    assert refused(append_one(draft(LOG, 1))) == "CONVERSATION_DISSOLVED"
    assert store(one).seq == first.seq
    assert store(end).seq == last.seq


def test_an_old_fence_is_sent_back_and_nothing_is_stored(connection: Connection, append: Any, draft: Any) -> None:
    """RECHECK tells the versions to decide by."""
    connection.execute(update(CONVERSATION).values(deny_version=5, member_version=9))
    result = append(draft(LOG, 1, deny_version=4), draft(LOG, 1, deny_version=5))
    assert result.outcomes[0] == Recheck(LOG, member_version=9, deny_version=5, epoch=1)
    assert result.outcomes[1].seq == 1


def test_without_a_fence_any_version_is_decided(connection: Connection, store: Any, draft: Any) -> None:
    """0 asks for no fence."""
    connection.execute(update(CONVERSATION).values(deny_version=5))
    assert store(draft(LOG, 1, deny_version=0)).seq == 1


def test_a_removal_in_the_batch_sends_back_what_was_decided_before_it(append: Any, draft: Any) -> None:
    """The fence holds between drafts of one batch, too."""
    removal = draft(LOG, 1, countable=False, effects=Effects(members=[MemberChange(2, 3)]))
    result = append(removal, draft(LOG, 2))
    assert result.outcomes[0].deny_version == 2
    assert isinstance(result.outcomes[1], Recheck)


def test_a_refused_draft_leaves_no_hole(append: Any, draft: Any) -> None:
    """Seq goes on as if it had not been there."""
    result = append(draft(LOG, 1), draft(LOG, 1, guards=Guards(sender_min_role=3)), draft(LOG, 1))
    assert [getattr(outcome, "seq", None) for outcome in result.outcomes] == [1, None, 2]


def test_one_outbox_row_guards_the_batch(connection: Connection, append: Any, draft: Any) -> None:
    """Ranges per conversation, the boot that counts, and the time from which it is swept."""
    result = append(draft(LOG, 1), draft(OTHER, 1), draft(LOG, 2))
    row = connection.execute(select(OUTBOX)).one()
    assert (row.id, row.owner, row.next_time - row.created_time) == (result.outbox_id, "boot", 3_000)
    assert result.ranges == [Range(LOG, 1, 2, 1), Range(OTHER, 1, 1, 1)]
    assert [(one.conversation_id, one.to_seq) for one in OutboxRanges.FromString(row.ranges).ranges] == [
        (LOG, 2), (OTHER, 1),
    ]  # fmt: skip


def test_confirmed_rows_go_with_the_next_batch(connection: Connection, append: Any, draft: Any) -> None:
    """Also with one that stores nothing."""
    first = append(draft(LOG, 1)).outbox_id
    second = append(draft(LOG, 1), confirmed=(first,)).outbox_id
    assert connection.scalars(select(OUTBOX.c.id)).all() == [second]
    append(draft(999, 1), confirmed=(second,))
    assert connection.scalars(select(OUTBOX.c.id)).all() == []


def test_outbox_ids_are_never_given_twice(append: Any, draft: Any) -> None:
    """A late confirmation of a deleted row must not hit a new one."""
    first = append(draft(LOG, 1)).outbox_id
    assert append(draft(999, 1), confirmed=(first,)).outbox_id == 0
    assert append(draft(LOG, 1)).outbox_id > first


def test_sending_implies_having_read(connection: Connection, store: Any, draft: Any) -> None:
    """The cursor moves to what was seen, with the count that stands there, and never back."""
    for countable in (True, False, True):
        store(draft(LOG, 2, countable=countable))
    store(draft(LOG, 1, seen_seq=2))
    store(draft(LOG, 1, seen_seq=1))
    cursor = connection.execute(select(CURSOR)).one()
    assert (cursor.user_id, cursor.conversation_id, cursor.read_seq, cursor.read_count) == (1, LOG, 2, 1)


def test_nobody_has_seen_more_than_was_committed(connection: Connection, append: Any, store: Any, draft: Any) -> None:
    """A seen_seq beyond the head before the batch is clamped to it."""
    store(draft(LOG, 2))
    append(draft(LOG, 2), draft(LOG, 1, seen_seq=900))
    assert connection.scalar(select(CURSOR.c.read_seq)) == 1


def test_a_recall_blanks_the_target_and_its_edits_but_no_reply(
    connection: Connection, append: Any, store: Any, draft: Any
) -> None:
    """A reply is somebody's own message."""
    target = store(draft(LOG, 1))
    edit = store(draft(LOG, 1, type=4, countable=False, ref_seq=target.seq, effects=Effects(edit_target=True)))
    reply = store(draft(LOG, 2, ref_seq=target.seq))
    recall = store(
        draft(LOG, 1, type=5, countable=False, body=b"", ref_seq=target.seq, effects=Effects(blank_target=True))
    )
    assert (entry(connection, target.seq).body, entry(connection, edit.seq).body) == (b"", b"")
    assert entry(connection, reply.seq).body
    assert (entry(connection, target.seq).flags & 1, entry(connection, target.seq).changed_seq) == (1, recall.seq)


def test_an_edit_points_its_target_at_itself(connection: Connection, store: Any, draft: Any) -> None:
    """The newest one wins."""
    target = store(draft(LOG, 1))
    for _ in range(2):
        edit = store(draft(LOG, 1, type=4, countable=False, ref_seq=target.seq, effects=Effects(edit_target=True)))
    assert (entry(connection, target.seq).edit_seq, entry(connection, target.seq).changed_seq) == (edit.seq, edit.seq)


def test_what_was_recalled_in_the_same_batch_cannot_be_edited(append: Any, store: Any, draft: Any) -> None:
    """Nor recalled again where logic asks for an unrecalled target."""
    target = store(draft(LOG, 1))
    recall = draft(
        LOG, 1, type=5, ref_seq=target.seq, effects=Effects(blank_target=True), guards=Guards(target_unrecalled=True)
    )
    edit = draft(LOG, 1, type=4, ref_seq=target.seq, effects=Effects(edit_target=True))
    result = append(recall, edit, recall._replace(client_message_id=b"z" * 16))
    assert isinstance(result.outcomes[0], Stored)
    assert [refused(outcome) for outcome in result.outcomes[1:]] == ["TARGET_RECALLED", "TARGET_RECALLED"]


def test_an_entry_of_the_same_batch_can_be_recalled(connection: Connection, append: Any, draft: Any) -> None:
    """It is decided after it, and written after it."""
    recall = draft(LOG, 1, type=5, countable=False, ref_seq=1, effects=Effects(blank_target=True))
    result = append(draft(LOG, 1), recall)
    assert result.outcomes[1].seq == 2
    assert (entry(connection, 1).body, entry(connection, 1).flags & 1) == (b"", 1)


def test_a_target_out_of_the_senders_sight_is_not_found(append_one: Any, store: Any, draft: Any) -> None:
    """A joiner cannot touch, nor answer to, what was said before."""
    old = store(draft(LOG, 1))
    store(draft(LOG, 1, countable=False, effects=Effects(members=[MemberChange(4, 1)])))
    guards = Guards(target_unrecalled=True)
    assert refused(append_one(draft(LOG, 4, ref_seq=old.seq, guards=guards))) == "MESSAGE_NOT_FOUND"
    assert store(draft(LOG, 2, ref_seq=old.seq, guards=guards)).seq == 3


def test_joining_in_the_batch_opens_the_senders_sight_from_there(append: Any, draft: Any) -> None:
    """Windows that were read before the join are read again."""
    guards = Guards(target_unrecalled=True)
    result = append(
        draft(LOG, 1),
        draft(LOG, 4, ref_seq=1, guards=guards),
        draft(LOG, 1, countable=False, effects=Effects(members=[MemberChange(4, 1)])),
        draft(LOG, 4, ref_seq=2, guards=guards),
    )
    assert refused(result.outcomes[1]) == "MESSAGE_NOT_FOUND"
    assert result.outcomes[3].seq == 3


def test_slow_mode_counts_within_a_batch_and_across(append: Any, draft: Any) -> None:
    """The second entry of a sender waits; the other sender does not."""
    guards = Guards(min_gap_ms=60_000)
    result = append(*(draft(LOG, sender, guards=guards) for sender in (1, 1, 2)))
    assert [type(outcome) for outcome in result.outcomes] == [Stored, ImError, Stored]
    assert refused(result.outcomes[1]) == "SLOW_MODE"
    assert 0 < result.outcomes[1].retry_after_ms <= 60_000
    assert refused(append(draft(LOG, 1, guards=guards)).outcomes[0]) == "SLOW_MODE"
    assert isinstance(append(draft(LOG, 1)).outcomes[0], Stored)


def test_a_duplicate_is_answered_under_slow_mode(append: Any, draft: Any) -> None:
    """The retry of a stored message is not a new one."""
    one = draft(LOG, 1, guards=Guards(min_gap_ms=60_000))
    result = append(one, one)
    assert result.outcomes[1].duplicate


def test_members_come_with_window_cursor_count_and_account_event(
    connection: Connection, store: Any, draft: Any
) -> None:
    """All in the transaction of their entry; those in already are left out."""
    store(draft(LOG, 1))
    ack = store(
        draft(LOG, 1, type=3, countable=False, effects=Effects(members=[MemberChange(u, 1) for u in (5, 4, 3)]))
    )
    assert [(change.user_id, change.state, change.role, change.pts) for change in ack.changed] == [
        (4, 1, 1, 1), (5, 1, 1, 1),
    ]  # fmt: skip
    assert (ack.member_version, ack.deny_version) == (2, 1)
    assert row_of(connection).member_count == 5
    cursor = connection.execute(select(CURSOR).where(CURSOR.c.user_id == 4)).one()
    assert (cursor.read_seq, cursor.read_count) == (2, 1)
    assert connection.scalars(select(USER_EVENT.c.user_id).order_by(USER_EVENT.c.user_id)).all() == [4, 5]


def test_two_changes_of_a_user_in_one_batch_get_pts_in_order(append: Any, draft: Any) -> None:
    """Leave and come back: 1, 2."""
    result = append(
        draft(LOG, 3, countable=False, effects=Effects(members=[MemberChange(3, 2)])),
        draft(LOG, 1, countable=False, deny_version=0, effects=Effects(members=[MemberChange(3, 1)])),
    )
    assert [outcome.changed[0].pts for outcome in result.outcomes] == [1, 2]


def test_the_owner_found_under_the_lock_stands_in_the_notice(
    connection: Connection, append_one: Any, store: Any, draft: Any
) -> None:
    """Logic could not know it."""
    connection.execute(update(CONVERSATION).values(owner_id=1))
    notice = Content(notice=Notice(left=MembersChange(actor_id=1, user_ids=[1])))
    ack = store(
        draft(
            LOG,
            1,
            type=3,
            countable=False,
            body=notice.SerializeToString(),
            effects=Effects(members=[MemberChange(1, 2)], hand_on_ownership=True),
        )
    )
    assert [(change.user_id, change.role) for change in ack.changed] == [(1, 1), (2, 3)]
    assert Content.FromString(entry(connection, ack.seq).body).notice.left.owner_id == 2
    assert row_of(connection).owner_id == 2


def test_a_join_that_makes_a_group_large_goes_out_the_old_way(append: Any, draft: Any) -> None:
    """The range is small, the ack says large and what it was, and so does everything for 30 s."""
    bounds = FanoutBounds(large_above=3, small_below=2)
    join = draft(LOG, 1, countable=False, effects=Effects(members=[MemberChange(4, 1)]))
    result = append(draft(LOG, 1), join, draft(LOG, 1), bounds=bounds)
    assert [(outcome.fanout, outcome.previous_fanout) for outcome in result.outcomes] == [(1, 0), (2, 1), (2, 1)]
    assert result.ranges == [Range(LOG, 1, 2, 1), Range(LOG, 3, 3, 2)]


def test_a_refused_change_of_members_changes_nothing(connection: Connection, append: Any, draft: Any) -> None:
    """Guards are asked before the first row is written."""
    full = draft(
        LOG, 1, guards=Guards(max_members=4), effects=Effects(members=[MemberChange(4, 1), MemberChange(5, 1)])
    )
    result = append(full, draft(LOG, 1))
    assert refused(result.outcomes[0]) == "GROUP_FULL"
    assert result.outcomes[1].seq == 1
    assert connection.execute(select(MEMBER).where(MEMBER.c.user_id > 3)).all() == []
    assert row_of(connection).member_version == 1


def test_the_server_sends_without_being_a_member(store: Any, draft: Any) -> None:
    """sender_id 0 has no windows and no cursor."""
    store(draft(LOG, 1))
    ack = store(draft(LOG, 0, ref_seq=1, seen_seq=1, effects=Effects(blank_target=True)))
    assert ack.seq == 2


def test_many_drafts_are_written_in_few_statements(
    connection: Connection, engine: Engine, append: Any, draft: Any
) -> None:
    """The number of statements does not grow with the batch."""
    counts = []
    event.listen(engine, "before_cursor_execute", lambda *_: counts.append(1))
    append(*(draft(LOG, 1) for _ in range(2)))
    few = len(counts)
    counts.clear()
    append(*(draft(LOG, 1) for _ in range(128)))
    assert len(counts) == few <= 6
