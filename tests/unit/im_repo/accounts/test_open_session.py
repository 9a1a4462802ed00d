"""Opening sessions."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_proto.repo.v1.account_pb2 import SessionRow
from im_repo.accounts.find_sessions import find_session, list_live_sessions
from im_repo.accounts.open_session import open_session
from im_repo.schema import SESSION, USER


def test_a_session_begins_with_the_first_generation(connection: Connection, sessions: Any) -> None:
    opened = sessions.open(1, now=10)
    assert opened.gone == []
    assert (opened.session.generation, opened.session.created_time, opened.session.seen_time) == (1, 10, 10)
    assert opened.session == find_session(connection, 1)
    assert connection.scalar(select(USER.c.seen_time).where(USER.c.user_id == 7)) == 10


def test_the_same_device_has_one_session(connection: Connection, sessions: Any) -> None:
    sessions.open(1, device_id="phone", device_class=1)
    sessions.open(2, device_id="phone", user_id=8)
    opened = sessions.open(3, device_id="phone", device_class=4, class_limit=5)
    assert [(gone.session_id, gone.revoked_time) for gone in opened.gone] == [(1, 10)]
    assert sessions.revocations() == [(1, 1, CloseCode.REPLACED, 10)]
    assert [session.session_id for session in list_live_sessions(connection, 8, now=20)] == [2]


def test_the_oldest_of_the_class_are_displaced_over_its_limit(connection: Connection, sessions: Any) -> None:
    sessions.open(1, now=10)
    sessions.open(2, now=11)
    sessions.open(3, now=12, device_class=2)
    opened = sessions.open(4, now=20, class_limit=2)
    assert [(gone.session_id, gone.displaced_time, gone.generation) for gone in opened.gone] == [(1, 20, 2)]
    assert sessions.revocations() == [(1, 1, CloseCode.KICKED, 20)]
    opened = sessions.open(5, now=30, class_limit=2)
    assert [gone.session_id for gone in opened.gone] == [2]


def test_expired_and_ended_sessions_take_no_room(connection: Connection, sessions: Any) -> None:
    sessions.open(1, now=10, expires=15)
    sessions.open(2, now=11)
    assert sessions.open(3, now=20, class_limit=2).gone == []


def test_the_own_earlier_session_makes_the_room(connection: Connection, sessions: Any) -> None:
    sessions.open(1, device_id="a")
    sessions.open(2, device_id="b")
    assert [gone.session_id for gone in sessions.open(3, device_id="b", class_limit=2).gone] == [2]


def test_nobody_has_no_session(sessions: Any) -> None:
    with pytest.raises(ImError) as caught:
        sessions.open(1, user_id=99)
    assert caught.value.reason is error_table.USER_NOT_FOUND


def test_logins_at_once_keep_to_the_limit(engine: Engine, seed_in: Any) -> None:
    with engine.begin() as connection:
        seed_in(connection).user(7)

    def login(number: int) -> None:
        wanted = SessionRow(
            user_id=7, device_id=f"d{number}", device_class=1, refresh_hash=bytes(32), refresh_expire_time=100
        )
        with engine.begin() as connection:
            open_session(connection, wanted, session_id=number, class_limit=2, now=10)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(login, range(1, 13)))
    with engine.begin() as connection:
        live = connection.scalar(select(func.count()).where(SESSION.c.displaced_time == 0, SESSION.c.revoked_time == 0))
    assert live == 2
