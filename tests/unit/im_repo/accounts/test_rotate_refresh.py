"""Rotating refresh tokens in the database."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection, Engine, select

from im_infra.error_table import CloseCode
from im_proto.repo.v1 import account_pb2 as pb
from im_repo.accounts.find_sessions import find_session
from im_repo.accounts.open_session import open_session
from im_repo.accounts.rotate_refresh import rotate_refresh
from im_repo.schema import REVOCATION, USER

FIRST = (1).to_bytes(32)


def present(connection: Connection, secret: bytes, counter: int, *, now: int = 1_000) -> pb.RotateRefreshResponse:
    """Present a token whose successor is derived by adding one."""
    request = pb.RotateRefreshRequest(
        session_id=1,
        presented_hash=secret,
        presented_counter=counter,
        next_hash=(int.from_bytes(secret) + 1).to_bytes(32),
        next_expire_time=now + 500,
        grace_ms=60,
    )
    return rotate_refresh(connection, request, now=now)


def test_the_next_token_is_in_force_with_a_new_expiry(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    answer = present(connection, FIRST, 0)
    assert answer.status == pb.ROTATE_STATUS_ROTATED
    assert (answer.session.refresh_hash, answer.session.refresh_counter) == ((2).to_bytes(32), 1)
    assert (answer.session.refresh_expire_time, answer.session.seen_time, answer.user.user_id) == (1_500, 1_000, 7)
    assert connection.scalar(select(USER.c.seen_time).where(USER.c.user_id == 7)) == 1_000
    assert present(connection, (2).to_bytes(32), 1, now=1_001).status == pb.ROTATE_STATUS_ROTATED


def test_a_lost_answer_is_given_again(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    first = present(connection, FIRST, 0, now=1_000)
    again = present(connection, FIRST, 0, now=1_060)
    assert again.status == pb.ROTATE_STATUS_REPEATED
    assert again.session == first.session


def test_reuse_ends_the_session_and_its_good_token_with_it(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    present(connection, FIRST, 0, now=1_000)
    reused = present(connection, FIRST, 0, now=1_061)
    assert (reused.status, reused.session.revoked_time) == (pb.ROTATE_STATUS_REUSED, 1_061)
    assert reused.session == find_session(connection, 1)
    assert sessions.revocations() == [(1, 1, CloseCode.SESSION_REVOKED, 1_061)]
    after = present(connection, (2).to_bytes(32), 1, now=1_062)
    assert (after.status, after.session.revoked_time) == (pb.ROTATE_STATUS_UNKNOWN, 1_061)


def test_a_used_successor_ends_the_grace(connection: Connection, sessions: Any) -> None:
    sessions.open(1)
    present(connection, FIRST, 0, now=1_000)
    present(connection, (2).to_bytes(32), 1, now=1_001)
    assert present(connection, FIRST, 0, now=1_002).status == pb.ROTATE_STATUS_REUSED


def test_expired_and_unknown_sessions_rotate_nothing(connection: Connection, sessions: Any) -> None:
    assert present(connection, FIRST, 0) == pb.RotateRefreshResponse(status=pb.ROTATE_STATUS_UNKNOWN)
    sessions.open(1, expires=1_000)
    assert present(connection, FIRST, 0, now=1_000).status == pb.ROTATE_STATUS_UNKNOWN


def test_two_tabs_at_once_get_one_successor(engine: Engine, seed_in: Any) -> None:
    with engine.begin() as connection:
        seed_in(connection).user(7)
        wanted = pb.SessionRow(user_id=7, device_id="d", refresh_hash=FIRST, refresh_expire_time=10_000)
        open_session(connection, wanted, session_id=1, class_limit=0, now=10)

    def ask(_: int) -> pb.RotateRefreshResponse:
        with engine.begin() as connection:
            return present(connection, FIRST, 0)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(8)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [pb.ROTATE_STATUS_ROTATED] + [pb.ROTATE_STATUS_REPEATED] * 7
    assert {answer.session.refresh_hash for answer in answers} == {(2).to_bytes(32)}
    with engine.begin() as connection:
        assert connection.execute(select(REVOCATION)).all() == []
