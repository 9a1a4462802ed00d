"""What can be appended in one round trip, and what that packet holds; `test_batch_store.py` has it on a database."""

from typing import Any

import pytest

from im_infra.sql.at_once import NOW, Expression
from im_repo.log.append_at_once import AtOnce, append_at_once
from im_repo.log.append_batch import BatchTerms
from im_repo.log.draft import Draft, Effects, Guards, MemberChange, Stored
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.locked import LockedConversation

LOG = 70
TERMS = BatchTerms("boot", 3_000, FanoutBounds())


def row(conversation_id: int, *, status: int = 1, deny_version: int = 4, last_time: int = 50) -> LockedConversation:
    changed = (status, 1, 8, 5, 2, 3, deny_version, last_time, last_time, 0)
    return LockedConversation((conversation_id, 2, 6, 1, 0), changed)


def word(*drafts: Draft, **of: LockedConversation) -> AtOnce | None:
    conversations = {
        LOG: row(LOG),
        LOG + 1: row(LOG + 1, last_time=9_000),
        **{one.conversation_id: one for one in of.values()},
    }
    mine = {draft.conversation_id: conversations[draft.conversation_id] for draft in drafts}
    return append_at_once(drafts, mine, message_ids=range(100, 100 + len(drafts)), terms=TERMS, confirmed=(5, 6))


def test_a_packet_holds_heads_entries_and_their_guard(draft: Any) -> None:
    """The first entry's seq depends on the heads; times are the database's, and none is before its conversation's."""
    drafts = [draft(LOG + 1, 9, deny_version=4), draft(LOG, 9, deny_version=0), draft(LOG + 1, 8, deny_version=4)]
    batch = word(*drafts)
    assert batch is not None
    heads, entries, outbox, gone = batch.statements
    assert heads.sql.startswith("UPDATE conversation SET")
    assert tuple(heads.values[:6]) == (71, 2, 71, 2, 70, 71)  # what grows by more than one, twice; all of them, sorted
    assert entries.sql.startswith("INSERT INTO message")
    rows = [tuple(entries.values[at : at + 14]) for at in (0, 14, 28)]
    assert rows[0][1] == Expression("9 + IF(ROW_COUNT() = 2, 0, 9223372036854775807)")
    assert [each[:1] + each[2:5] for each in rows] == [(71, 6, 100, 9), (70, 6, 101, 9), (71, 7, 102, 8)]
    assert [each[1] for each in rows[1:]] == [9, 10]
    assert [each[12] for each in rows] == [
        Expression("GREATEST(LAST_INSERT_ID(), 9000)"),
        Expression("GREATEST(LAST_INSERT_ID(), 50)"),
        Expression("GREATEST(LAST_INSERT_ID(), 9000)"),
    ]
    assert outbox.sql.startswith("INSERT INTO outbox")
    assert tuple(outbox.values[:3]) == (NOW, Expression("LAST_INSERT_ID() + 3000"), "boot")
    assert (gone.sql[:18], tuple(gone.values)) == ("DELETE FROM outbox", (5, 6))


def test_the_answer_is_made_of_the_time_that_the_database_gave(draft: Any) -> None:
    batch = word(draft(LOG, 9, deny_version=4), draft(LOG + 1, 9, deny_version=4))
    assert batch is not None
    result = batch.answer([1_000, 0, 77, 0])
    assert [
        (one.seq, one.count, one.message_id, one.server_time, one.deny_version, one.epoch)
        for one in result.outcomes
        if isinstance(one, Stored)
    ] == [(9, 6, 100, 1_000, 4, 6), (9, 6, 101, 9_000, 4, 6)]
    assert result.outbox_id == 77
    assert [(one.max_seq, one.last_time, one.active_time) for one in result.conversations] == [
        (9, 1_000, 1_000),
        (9, 9_000, 9_000),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"guards": Guards(min_gap_ms=1)},
        {"effects": Effects(members=[MemberChange(9, 1)])},
        {"seen_seq": 1},
        {"countable": False},
        {"deny_version": 3},
    ],
)
def test_what_more_than_the_row_decides_about_is_for_a_look(draft: Any, fields: Any) -> None:
    """One of the batch is enough."""
    plain = draft(LOG, 9, deny_version=4)
    assert word(plain) is not None
    assert word(plain, draft(LOG, 9, **{"deny_version": 4, **fields})) is None


def test_a_conversation_that_lets_nothing_in_is_for_a_look(draft: Any) -> None:
    assert word(draft(LOG, 9, deny_version=4), closed=row(LOG, status=2)) is None


def test_the_same_twice_is_for_a_look(draft: Any) -> None:
    same = draft(LOG, 9, deny_version=4)
    assert word(same, same) is None
    assert word(same, same._replace(sender_id=8)) is not None
