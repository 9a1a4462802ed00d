"""Ending, displacing and letting return."""

from typing import Any

from sqlalchemy import Connection

from im_infra.error_table import CloseCode
from im_repo.accounts.end_sessions import (
    lift_displaced,
    lock_sessions,
    mark_displaced,
    raise_generations,
    revoke_sessions,
)
from im_repo.accounts.find_sessions import find_session
from im_repo.schema import SESSION


def test_an_ended_session_has_a_dead_generation_and_a_revocation(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    [ended] = revoke_sessions(connection, 7, now=20)
    assert (ended.revoked_time, ended.generation) == (20, 2)
    assert ended == find_session(connection, 1)
    assert sessions.revocations() == [(1, 1, CloseCode.SESSION_REVOKED, 20)]


def test_all_but_the_kept_one_end(connection: Connection, sessions: Any) -> None:
    for session_id in (1, 2, 3):
        sessions.open(session_id)
    sessions.open(4, user_id=8)
    ended = revoke_sessions(connection, 7, keep_session_id=2, close_code=CloseCode.KICKED, now=20)
    assert [session.session_id for session in ended] == [1, 3]
    assert [revocation[2] for revocation in sessions.revocations()] == [CloseCode.KICKED] * 2


def test_only_own_live_sessions_that_are_named_end(connection: Connection, sessions: Any) -> None:
    for session_id in (1, 2):
        sessions.open(session_id)
    sessions.open(4, user_id=8)
    assert [session.session_id for session in revoke_sessions(connection, 7, session_ids=[1, 4], now=20)] == [1]
    assert revoke_sessions(connection, 7, session_ids=[1], now=30) == []
    assert len(sessions.revocations()) == 1


def test_a_displaced_session_is_marked_once_and_its_tokens_are_dead(connection: Connection, sessions: Any) -> None:
    for session_id in (1, 2):
        sessions.open(session_id)
    revoke_sessions(connection, 7, session_ids=[2], now=15)
    for now in (20, 30):
        first, second = mark_displaced(connection, [1, 2, 99], now=now)
        assert (first.displaced_time, first.generation) == (20, 2)
        assert (second.displaced_time, second.generation) == (0, 2)
    assert sessions.revocations()[1:] == [(1, 1, CloseCode.KICKED, 20)]


def test_a_lifted_session_goes_on_with_the_new_generation(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    mark_displaced(connection, [1], now=20)
    [lifted] = lift_displaced(connection, [1, 99])
    assert (lifted.displaced_time, lifted.generation) == (0, 2)
    assert lifted == find_session(connection, 1)


def test_a_raised_generation_ends_no_socket(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    raise_generations(connection, lock_sessions(connection, SESSION.c.session_id == 1))
    found = find_session(connection, 1)
    assert found is not None
    assert (found.generation, found.revoked_time) == (2, 0)
    assert sessions.revocations() == []
