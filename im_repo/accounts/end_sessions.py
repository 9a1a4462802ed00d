"""End sessions, displace them, let them return: whatever makes tokens dead writes a revocation.

A revocation names the generation that is dead, and the session goes on with the next one, so that a token issued before
is told from one issued after, whoever looks and however late.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, update

from im_infra.error_table import CloseCode
from im_proto.repo.v1.account_pb2 import SessionRow
from im_repo.accounts.rows import SELECT_SESSION, session_of
from im_repo.schema import REVOCATION, SESSION


def lock_sessions(connection: Connection, *conditions: ColumnElement[bool]) -> list[SessionRow]:
    """The sessions that meet the conditions, oldest first, locked in the order of their ids until the transaction ends."""
    rows = connection.execute(SELECT_SESSION.where(*conditions).order_by(SESSION.c.session_id).with_for_update())
    return sorted(map(session_of, rows), key=lambda session: (session.created_time, session.session_id))


def end_sessions(
    connection: Connection, sessions: Sequence[SessionRow], *, close_code: CloseCode, now: int
) -> list[SessionRow]:
    """End locked, live sessions for good, and return them as they are now.

    Args:
        connection: inside a write transaction.
        sessions: from `lock_sessions`.
        close_code: what their sockets are closed with.
        now: the database's time, milliseconds since the epoch.
    """
    return _revoke(connection, sessions, {"revoked_time": now}, close_code=close_code, now=now)


def displace_sessions(connection: Connection, sessions: Sequence[SessionRow], *, now: int) -> list[SessionRow]:
    """Mark locked, live sessions displaced: their sockets are closed with KICKED, and only a person's act returns."""
    return _revoke(connection, sessions, {"displaced_time": now}, close_code=CloseCode.KICKED, now=now)


def raise_generations(connection: Connection, sessions: Sequence[SessionRow]) -> None:
    """Make tokens issued so far dead while the sessions, and their sockets, live on."""
    _update(connection, sessions, {"generation": SESSION.c.generation + 1})


def mark_displaced(connection: Connection, session_ids: Sequence[int], *, now: int) -> list[SessionRow]:
    """Displace those of the sessions that are live and not displaced yet; returns all that exist, as they are now."""
    sessions = lock_sessions(connection, SESSION.c.session_id.in_(session_ids))
    displaced = displace_sessions(
        connection,
        [session for session in sessions if not session.revoked_time and not session.displaced_time],
        now=now,
    )
    changed = {session.session_id: session for session in displaced}
    return [changed.get(session.session_id, session) for session in sessions]


def lift_displaced(connection: Connection, session_ids: Sequence[int]) -> list[SessionRow]:
    """Let displaced sessions return; returns all that exist, as they are now. An ended session stays ended."""
    sessions = lock_sessions(connection, SESSION.c.session_id.in_(session_ids))
    _update(connection, sessions, {"displaced_time": 0})
    for session in sessions:
        session.displaced_time = 0
    return sessions


def revoke_sessions(
    connection: Connection,
    user_id: int,
    *,
    session_ids: Sequence[int] = (),
    keep_session_id: int = 0,
    close_code: CloseCode = CloseCode.SESSION_REVOKED,
    now: int,
) -> list[SessionRow]:
    """End a user's sessions, and return those that were live until now.

    Args:
        connection: inside a write transaction.
        user_id: whose; sessions of others are passed over.
        session_ids: these; empty: all.
        keep_session_id: but not this one; 0: none is kept.
        close_code: what their sockets are closed with.
        now: the database's time, milliseconds since the epoch.
    """
    conditions = [
        SESSION.c.user_id == user_id, SESSION.c.revoked_time == 0, SESSION.c.session_id != keep_session_id
    ]  # fmt: skip
    if session_ids:
        conditions.append(SESSION.c.session_id.in_(session_ids))
    return end_sessions(connection, lock_sessions(connection, *conditions), close_code=close_code, now=now)


def _revoke(
    connection: Connection,
    sessions: Sequence[SessionRow],
    change: Mapping[str, int],
    *,
    close_code: CloseCode,
    now: int,
) -> list[SessionRow]:
    if not sessions:
        return []
    _update(connection, sessions, {**change, "generation": SESSION.c.generation + 1})
    connection.execute(
        insert(REVOCATION),
        [
            {"session_id": session.session_id, "generation": session.generation, "close_code": close_code, "time": now}
            for session in sessions
        ],
    )
    return [_changed(session, change) for session in sessions]


def _changed(session: SessionRow, change: Mapping[str, int]) -> SessionRow:
    changed = SessionRow()
    changed.CopyFrom(session)
    changed.generation += 1
    for name, value in change.items():
        setattr(changed, name, value)
    return changed


def _update(connection: Connection, sessions: Sequence[SessionRow], change: Mapping[str, Any]) -> None:
    if sessions:
        ids = [session.session_id for session in sessions]
        connection.execute(update(SESSION).where(SESSION.c.session_id.in_(ids)).values(change))
