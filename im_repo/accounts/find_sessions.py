"""Find sessions."""

from typing import Final

from sqlalchemy import Connection, bindparam

from im_proto.repo.v1.account_pb2 import SessionRow
from im_repo.accounts.rows import SELECT_SESSION, session_of
from im_repo.schema import SESSION

_BY_ID: Final = SELECT_SESSION.where(SESSION.c.session_id == bindparam("session_id"))
"""Made once: putting it together costs more than asking, and every Hello asks."""


def find_session(connection: Connection, session_id: int) -> SessionRow | None:
    """The session of this id, ended or not, or None."""
    row = connection.execute(_BY_ID, {"session_id": session_id}).one_or_none()
    return session_of(row) if row is not None else None


def list_live_sessions(connection: Connection, user_id: int, *, now: int) -> list[SessionRow]:
    """The user's sessions that are neither ended nor expired, newest first; displaced ones are among them."""
    statement = SELECT_SESSION.where(
        SESSION.c.user_id == user_id, SESSION.c.revoked_time == 0, SESSION.c.refresh_expire_time > now
    ).order_by(SESSION.c.created_time.desc(), SESSION.c.session_id.desc())
    return [session_of(row) for row in connection.execute(statement)]
