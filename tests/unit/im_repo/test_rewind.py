"""After a restore."""

from typing import Any

from sqlalchemy import Connection, insert, select

from im_infra.sql.expressions import read_now_ms
from im_repo.clock import tick
from im_repo.id_floor import read_id_floor
from im_repo.rewind import JUMP, rewind
from im_repo.schema import CONVERSATION, CURSOR, REVOCATION, SESSION, USER_STATE

LOG = 70


def session(session_id: Any, revoked_time: Any = 0) -> Any:
    row = dict.fromkeys((column.name for column in SESSION.columns), 0)
    texts = {"device_id": "d", "device_name": "n", "refresh_hash": b"", "previous_hash": b""}
    return {**row, **texts, "session_id": session_id, "user_id": 1, "generation": 4, "revoked_time": revoked_time}


def test_every_number_moves_beyond_what_was_given(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1, member_version=5, deny_version=6, epoch=2)
    for _ in range(3):
        seed.say(LOG, 1)
    connection.execute(insert(USER_STATE), {"user_id": 1, "max_pts": 9})
    now = read_now_ms(connection)
    generation = tick(connection)
    assert rewind(connection).conversations == 1
    log = connection.execute(select(CONVERSATION)).one()
    assert (log.epoch, log.rewind_seq, log.max_seq) == (3, 3, 3)
    assert (log.member_version, log.deny_version) == (5 + JUMP, 6 + JUMP)
    assert log.last_time >= now
    assert connection.scalar(select(USER_STATE.c.max_pts)) == 9 + JUMP
    assert tick(connection) == generation + 1


def test_cursors_stand_at_the_head_at_most(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1, 2)
    for _ in range(3):
        seed.say(LOG, 1)
    seed.cursor(1, LOG, read_seq=9, read_count=8, received_seq=9, hide_seq=7, hide_count=7)
    seed.cursor(2, LOG, read_seq=2, read_count=2, received_seq=3)
    rewind(connection)
    rows = connection.execute(select(CURSOR).order_by(CURSOR.c.user_id)).all()
    assert [(row.read_seq, row.read_count, row.received_seq, row.hide_seq, row.hide_count) for row in rows] == [
        (3, 3, 3, 3, 3), (2, 2, 3, 0, 0),
    ]  # fmt: skip


def test_everybody_logs_in_again(connection: Connection) -> None:
    connection.execute(insert(SESSION), [session(1), session(2), session(3, revoked_time=7)])
    assert rewind(connection).sessions == 2
    revoked = connection.execute(select(REVOCATION).order_by(REVOCATION.c.session_id)).all()
    assert [(row.session_id, row.generation, row.close_code) for row in revoked] == [(1, 4, 4503), (2, 4, 4503)]
    rows = connection.execute(select(SESSION.c.revoked_time, SESSION.c.generation).order_by(SESSION.c.session_id)).all()
    assert [(bool(row.revoked_time), row.generation) for row in rows] == [(True, 5), (True, 5), (True, 4)]


def test_ids_are_made_from_an_hour_ahead(connection: Connection) -> None:
    now = read_now_ms(connection)
    rewind(connection)
    assert read_id_floor(connection) >= now + 3_600_000


def test_an_empty_database_can_be_rewound(connection: Connection) -> None:
    assert rewind(connection) == (0, 0)
