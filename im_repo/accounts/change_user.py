"""Change a user: name, handle, kind, password, disabled or not; sessions end in the same transaction."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_repo.accounts.end_sessions import lock_sessions, raise_generations, revoke_sessions
from im_repo.accounts.find_users import find_user
from im_repo.accounts.invites import spend_invite
from im_repo.accounts.rows import SELECT_USER, user_of
from im_repo.operations.claim import claim_operation
from im_repo.schema import SESSION, USER


class Standing(Enum):
    """What happens to the account's standing."""

    UNCHANGED = auto()
    DISABLE = auto()
    """It may not log in; all its sessions end."""
    ENABLE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What changes; empty, 0 and False change nothing."""

    handle: str = ""
    display_name: str = ""
    kind: int = 0
    password_hash: str = ""
    standing: Standing = Standing.UNCHANGED
    revoke_sessions: bool = False
    keep_session_id: int = 0
    """This session outlives `revoke_sessions`, with a new generation: tokens issued before are dead."""
    expected_kind: int = 0
    """Only if the kind is this one now; 0: not asked."""
    invite_code: str = ""
    operation_id: bytes = b""
    """16 bytes; empty: not remembered."""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class ChangedUser:
    """The user as they are now."""

    user: UserRow
    revoked: list[SessionRow] = field(default_factory=list)
    """Sessions that ended."""


def change_user(connection: Connection, user_id: int, change: UserChange, *, now: int) -> ChangedUser:
    """Change a user, once per operation where one is named; a repeated one answers the user as they are.

    Args:
        connection: inside a write transaction.
        user_id: whom.
        change: what changes.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: USER_NOT_FOUND; HANDLE_TAKEN; INVITE_INVALID; PERMISSION_DENIED: the kind is not the expected one;
            CONFLICT: the operation id was used for something else.
    """
    repeated = change.operation_id and (
        claim_operation(connection, user_id, change.operation_id, digest=change.digest, answer=b"", now=now) is not None
    )
    row = connection.execute(SELECT_USER.where(USER.c.user_id == user_id).with_for_update()).one_or_none()
    if row is None:
        raise ImError(error_table.USER_NOT_FOUND)
    if repeated:
        return ChangedUser(user_of(row))
    if change.expected_kind and row.kind != change.expected_kind:
        raise ImError(error_table.PERMISSION_DENIED, "the account's kind does not allow this")
    if change.invite_code:
        spend_invite(connection, change.invite_code, now=now)
    _update(connection, user_id, _columns(change, now))
    revoked = _end_sessions(connection, user_id, change, now)
    user = find_user(connection, user_id)
    assert user is not None
    return ChangedUser(user, revoked)


def set_password_hash(connection: Connection, user_id: int, password_hash: str, *, now: int) -> ChangedUser:
    """Give a user another password, on an operator's order: all sessions end."""
    return change_user(connection, user_id, UserChange(password_hash=password_hash, revoke_sessions=True), now=now)


def set_kind(connection: Connection, user_id: int, kind: int, *, now: int) -> ChangedUser:
    """Make a user of another kind (im.v1.UserKind). All sessions end, since tokens carry the kind."""
    return change_user(connection, user_id, UserChange(kind=kind, revoke_sessions=True), now=now)


def disable_user(connection: Connection, user_id: int, *, now: int) -> ChangedUser:
    """Shut a user out: all sessions end and no login makes another."""
    return change_user(connection, user_id, UserChange(standing=Standing.DISABLE), now=now)


def enable_user(connection: Connection, user_id: int, *, now: int) -> ChangedUser:
    """Let a user in again."""
    return change_user(connection, user_id, UserChange(standing=Standing.ENABLE), now=now)


def _columns(change: UserChange, now: int) -> dict[str, Any]:
    wanted = {
        "handle": change.handle.lower(),
        "display_name": change.display_name,
        "kind": change.kind,
        "password_hash": change.password_hash,
    }
    columns: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    if change.standing is not Standing.UNCHANGED:
        columns["disabled_time"] = now if change.standing is Standing.DISABLE else 0
    if change.standing is Standing.ENABLE:
        columns["seen_time"] = now  # a guest who was shut out for being idle is not idle from this moment
    return columns


def _update(connection: Connection, user_id: int, columns: dict[str, Any]) -> None:
    if not columns:
        return
    try:
        connection.execute(update(USER).where(USER.c.user_id == user_id).values(columns))
    except IntegrityError as error:
        raise ImError(error_table.HANDLE_TAKEN) from error


def _end_sessions(connection: Connection, user_id: int, change: UserChange, now: int) -> list[SessionRow]:
    if change.standing is Standing.DISABLE:
        return revoke_sessions(connection, user_id, now=now)
    if not change.revoke_sessions:
        return []
    if change.keep_session_id:
        kept = lock_sessions(connection, SESSION.c.session_id == change.keep_session_id, SESSION.c.user_id == user_id)
        raise_generations(connection, kept)
    return revoke_sessions(connection, user_id, keep_session_id=change.keep_session_id, now=now)
