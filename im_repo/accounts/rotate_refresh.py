"""Rotate a refresh token: compare and set under the session's lock."""

from typing import Final

from sqlalchemy import Connection, select, update

from im_infra.error_table import CloseCode
from im_proto.repo.v1 import account_pb2 as pb
from im_repo.accounts.end_sessions import end_sessions
from im_repo.accounts.find_sessions import find_session
from im_repo.accounts.find_users import find_user
from im_repo.accounts.rotation import Family, Presented, Rotation, decide
from im_repo.schema import SESSION, USER

_STATUS: Final = {
    Rotation.ROTATE: pb.ROTATE_STATUS_ROTATED,
    Rotation.REPEAT: pb.ROTATE_STATUS_REPEATED,
    Rotation.REUSE: pb.ROTATE_STATUS_REUSED,
    Rotation.UNKNOWN: pb.ROTATE_STATUS_UNKNOWN,
}


def rotate_refresh(connection: Connection, request: pb.RotateRefreshRequest, *, now: int) -> pb.RotateRefreshResponse:
    """Rotate, answer the same successor again, or end the session.

    The session and its user are answered as they are now; with an unknown session neither is.

    Args:
        connection: inside a write transaction.
        request: what was presented, and the successor derived from it.
        now: the database's time, milliseconds since the epoch.
    """
    family = _lock_family(connection, request.session_id, now)
    if family is None:
        return pb.RotateRefreshResponse(status=pb.ROTATE_STATUS_UNKNOWN)
    presented = Presented(
        counter=request.presented_counter, secret_hash=request.presented_hash, next_hash=request.next_hash
    )
    rotation = decide(family, presented, now=now, grace_ms=request.grace_ms)
    if rotation is Rotation.ROTATE:
        _rotate(connection, request, now)
    session = find_session(connection, request.session_id)
    assert session is not None
    if rotation is Rotation.REUSE:
        [session] = end_sessions(connection, [session], close_code=CloseCode.SESSION_REVOKED, now=now)
    return pb.RotateRefreshResponse(
        status=_STATUS[rotation], session=session, user=find_user(connection, session.user_id)
    )


def _lock_family(connection: Connection, session_id: int, now: int) -> Family | None:
    columns = (
        SESSION.c.revoked_time, SESSION.c.refresh_expire_time, SESSION.c.refresh_counter, SESSION.c.refresh_hash,
        SESSION.c.previous_hash, SESSION.c.rotated_time,
    )  # fmt: skip
    statement = select(*columns).where(SESSION.c.session_id == session_id).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Family(
        live=not row.revoked_time and row.refresh_expire_time > now,
        counter=row.refresh_counter,
        current_hash=row.refresh_hash,
        previous_hash=row.previous_hash,
        rotated_time=row.rotated_time,
    )


def _rotate(connection: Connection, request: pb.RotateRefreshRequest, now: int) -> None:
    connection.execute(
        update(SESSION)
        .where(SESSION.c.session_id == request.session_id)
        .values(
            previous_hash=request.presented_hash,
            refresh_hash=request.next_hash,
            refresh_counter=request.presented_counter + 1,
            refresh_expire_time=request.next_expire_time,
            rotated_time=now,
            seen_time=now,
        )
    )
    of_session = select(SESSION.c.user_id).where(SESSION.c.session_id == request.session_id).scalar_subquery()
    connection.execute(update(USER).where(USER.c.user_id == of_session).values(seen_time=now))
