"""Find sessions."""

from typing import Final

from sqlalchemy import Connection, bindparam

from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_repo.accounts.rows import SELECT_SESSION, SELECT_USER, session_of, user_of
from im_repo.schema import SESSION, USER

_BY_ID: Final = SELECT_SESSION.where(SESSION.c.session_id == bindparam("session_id"))
"""Made once: putting it together costs more than asking."""
_WIDTH: Final = len(SELECT_SESSION.selected_columns)
_WITH_USER: Final = _BY_ID.add_columns(*SELECT_USER.selected_columns).select_from(
    SESSION.outerjoin(USER, USER.c.user_id == SESSION.c.user_id)
)
"""As above: every Hello asks."""


def find_session(connection: Connection, session_id: int) -> SessionRow | None:
    """The session of this id, ended or not, or None."""
    row = connection.execute(_BY_ID, {"session_id": session_id}).one_or_none()
    return session_of(row) if row is not None else None


def find_session_with_user(connection: Connection, session_id: int) -> tuple[SessionRow, UserRow | None] | None:
    """The session of this id, ended or not, and whose it is, or None."""
    row = connection.execute(_WITH_USER, {"session_id": session_id}).one_or_none()
    if row is None:
        return None
    session, user = session_of(row[:_WIDTH]), row[_WIDTH:]
    return session, user_of(user) if user[0] is not None else None


def list_live_sessions(connection: Connection, user_id: int, *, now: int) -> list[SessionRow]:
    """The user's sessions that are neither ended nor expired, newest first; displaced ones are among them."""
    statement = SELECT_SESSION.where(
        SESSION.c.user_id == user_id, SESSION.c.revoked_time == 0, SESSION.c.refresh_expire_time > now
    ).order_by(SESSION.c.created_time.desc(), SESSION.c.session_id.desc())
    return [session_of(row) for row in connection.execute(statement)]
