"""Finding sessions."""

from typing import Any

from sqlalchemy import Connection, delete

from im_repo.accounts.end_sessions import mark_displaced, revoke_sessions
from im_repo.accounts.find_sessions import find_session, find_session_with_user, list_live_sessions
from im_repo.accounts.find_users import find_user
from im_repo.schema import USER


def test_a_session_is_found_though_it_was_ended(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    revoke_sessions(connection, 7, now=20)
    found = find_session(connection, 1)
    assert found is not None
    assert found.revoked_time == 20
    assert find_session(connection, 2) is None


def test_a_session_is_found_with_its_user(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    user = find_user(connection, 7)
    assert user is not None
    assert find_session_with_user(connection, 1) == (find_session(connection, 1), user)
    assert find_session_with_user(connection, 2) is None
    connection.execute(delete(USER).where(USER.c.user_id == 7))
    assert find_session_with_user(connection, 1) == (find_session(connection, 1), None)


def test_live_sessions_are_listed_newest_first_with_the_displaced(connection: Connection, sessions: Any) -> None:
    sessions.open(1, now=10)
    sessions.open(2, now=30)
    sessions.open(3, now=20)
    sessions.open(4, now=20, expires=25)
    sessions.open(5, user_id=8)
    revoke_sessions(connection, 7, session_ids=[3], now=40)
    mark_displaced(connection, [1], now=40)
    assert [session.session_id for session in list_live_sessions(connection, 7, now=40)] == [2, 1]
