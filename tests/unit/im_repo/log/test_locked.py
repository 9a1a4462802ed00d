"""Rows under their lock."""

from typing import Any

from sqlalchemy import Connection, select

from im_infra.sql.expressions import read_now_ms
from im_repo.log.locked import lock_conversations, save_conversations
from im_repo.schema import CONVERSATION


def test_rows_come_with_the_databases_time(connection: Connection, seed: Any) -> None:
    seed.conversation(70, 1, 2, max_seq=9, max_count=7, deny_version=4, owner_id=2)
    seed.conversation(71, 1)
    before = read_now_ms(connection)
    now, locked = lock_conversations(connection, [71, 70, 70, 999])
    assert now >= before
    assert sorted(locked) == [70, 71]
    one = locked[70]
    assert (one.kind, one.status, one.fanout, one.epoch, one.min_seq) == (2, 1, 1, 1, 1)
    assert (one.max_seq, one.max_count, one.member_count, one.deny_version, one.owner_id) == (9, 7, 2, 4, 2)
    assert (one.first_seq, one.touched) == (10, False)


def test_only_what_was_appended_to_is_written(connection: Connection, seed: Any) -> None:
    seed.conversation(70, 1)
    seed.conversation(71, 1)
    _, locked = lock_conversations(connection, [70, 71])
    locked[70].max_seq, locked[70].status, locked[70].fanout_time = 1, 2, 33
    locked[71].owner_id = 5
    save_conversations(connection, locked.values())
    rows = connection.execute(select(CONVERSATION).order_by(CONVERSATION.c.conversation_id)).all()
    assert [(row.max_seq, row.status, row.fanout_time, row.owner_id) for row in rows] == [(1, 2, 33, 0), (0, 1, 0, 0)]


def test_none_is_found(connection: Connection) -> None:
    assert lock_conversations(connection, [999])[1] == {}
