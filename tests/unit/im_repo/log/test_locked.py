"""Rows under their lock."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from im_infra.sql.expressions import read_now_ms
from im_infra.sql.statements import read_together, write_together
from im_repo.log.locked import LockedConversation, lock_answer, lock_question, save_conversations
from im_repo.schema import CONVERSATION


def lock(connection: Connection, *ids: int) -> tuple[int, dict[int, LockedConversation]]:
    dialect = connection.dialect.name
    [rows] = read_together(connection, [lock_question(dialect, ids)])
    return lock_answer(dialect, rows)


def test_rows_come_with_the_databases_time(connection: Connection, seed: Any) -> None:
    seed.conversation(70, 1, 2, max_seq=9, max_count=7, deny_version=4, owner_id=2)
    seed.conversation(71, 1)
    before = read_now_ms(connection)
    now, locked = lock(connection, 71, 70, 70, 999)
    assert now >= before
    assert sorted(locked) == [70, 71]
    one = locked[70]
    assert (one.kind, one.status, one.fanout, one.epoch, one.min_seq) == (2, 1, 1, 1, 1)
    assert (one.max_seq, one.max_count, one.member_count, one.deny_version, one.owner_id) == (9, 7, 2, 4, 2)
    assert (one.first_seq, one.touched) == (10, False)


def test_only_what_was_appended_to_is_written(connection: Connection, seed: Any) -> None:
    for log in (70, 71, 72):
        seed.conversation(log, 1, title=f"Group {log}", slow_mode_ms=5)
    _, locked = lock(connection, 70, 71, 72)
    locked[70].max_seq, locked[70].status, locked[70].fanout_time = 1, 2, 33
    locked[71].owner_id = 5
    locked[72].max_seq = 8
    assert [locked[log].changed_beyond_its_log for log in (70, 71, 72)] == [True, True, False]
    write_together(connection, [save_conversations(connection.dialect.name, locked.values())])
    rows = connection.execute(select(CONVERSATION).order_by(CONVERSATION.c.conversation_id)).all()
    assert [(row.max_seq, row.status, row.fanout_time, row.owner_id) for row in rows] == [
        (1, 2, 33, 0),
        (0, 1, 0, 0),
        (8, 1, 0, 0),
    ]
    assert [(row.title, row.slow_mode_ms, row.kind) for row in rows] == [(f"Group {log}", 5, 2) for log in (70, 71, 72)]


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_what_moves_with_the_log_alone_is_written_for_any_number(connection: Connection, seed: Any, count: Any) -> None:
    """Nothing else of the rows is touched, whatever the statement says of it."""
    logs = range(70, 70 + count)
    for log in logs:
        seed.conversation(log, 1, title="Group", epoch=7, rewind_seq=6, min_seq=5)
    before = [dict(row._mapping) for row in connection.execute(select(CONVERSATION))]
    now, locked = lock(connection, *logs)
    for log, one in locked.items():
        one.max_seq, one.max_count, one.last_time, one.active_time = log, log - 1, now, now + 1
    write_together(connection, [save_conversations(connection.dialect.name, locked.values())])
    after = [dict(row._mapping) for row in connection.execute(select(CONVERSATION))]
    for row in before:
        log = row["conversation_id"]
        row.update(max_seq=log, max_count=log - 1, last_time=now, active_time=now + 1)
    assert after == before


def test_none_is_found(connection: Connection) -> None:
    assert lock(connection, 999)[1] == {}
