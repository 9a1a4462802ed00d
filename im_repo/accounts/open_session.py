"""Open a session: it replaces the device's earlier one and may displace others of its class."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, update

from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_proto.repo.v1.account_pb2 import SessionRow
from im_repo.accounts.class_limit import displaced_by_new
from im_repo.accounts.end_sessions import displace_sessions, end_sessions, lock_sessions
from im_repo.accounts.rows import SELECT_USER
from im_repo.schema import SESSION, USER

FIRST_GENERATION: Final = 1
NO_HASH: Final = bytes(32)
"""Nothing was rotated yet: no secret has this hash."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session and what it cost."""

    session: SessionRow
    gone: list[SessionRow]
    """Ended because they were the same device's, or displaced by the class's limit."""


def open_session(
    connection: Connection, wanted: SessionRow, *, session_id: int, class_limit: int, now: int
) -> OpenedSession:
    """Open a session; the user's row is locked, so two logins see each other's sessions.

    Args:
        connection: inside a write transaction.
        wanted: user, device, name, class and the refresh token's hash, counter and expiry; the rest is given here.
        session_id: its id.
        class_limit: at most so many live sessions of the class, this one counted; 0: no limit.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: USER_NOT_FOUND.
    """
    lock_user = SELECT_USER.where(USER.c.user_id == wanted.user_id).with_for_update()
    if connection.execute(lock_user).one_or_none() is None:
        raise ImError(error_table.USER_NOT_FOUND)
    live = lock_sessions(
        connection,
        SESSION.c.user_id == wanted.user_id,
        SESSION.c.revoked_time == 0,
        SESSION.c.refresh_expire_time > now,
    )
    earlier = [session for session in live if session.device_id == wanted.device_id]
    rivals = [
        session
        for session in live
        if session.device_id != wanted.device_id
        and session.device_class == wanted.device_class
        and not session.displaced_time
    ]
    gone = end_sessions(connection, earlier, close_code=CloseCode.REPLACED, now=now)
    gone += displace_sessions(connection, displaced_by_new(rivals, class_limit=class_limit), now=now)
    session = SessionRow(
        session_id=session_id,
        user_id=wanted.user_id,
        device_id=wanted.device_id,
        device_class=wanted.device_class,
        device_name=wanted.device_name,
        generation=FIRST_GENERATION,
        refresh_hash=wanted.refresh_hash,
        refresh_counter=wanted.refresh_counter,
        refresh_expire_time=wanted.refresh_expire_time,
        created_time=now,
        seen_time=now,
    )
    connection.execute(insert(SESSION), {**_columns(session), "previous_hash": NO_HASH, "rotated_time": 0})
    connection.execute(update(USER).where(USER.c.user_id == wanted.user_id).values(seen_time=now))
    return OpenedSession(session, gone)


def _columns(session: SessionRow) -> dict[str, Any]:
    return {field.name: getattr(session, field.name) for field in SessionRow.DESCRIPTOR.fields}
