"""Make a user with their first session, once per (installation, operation)."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_repo.accounts.find_users import find_user
from im_repo.accounts.invites import spend_invite
from im_repo.accounts.open_session import open_session
from im_repo.insert_absent import insert_absent
from im_repo.schema import ENTRY_ACCOUNT, USER


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What is asked for; ids are made before the transaction."""

    user: UserRow
    """Handle (empty: a guest), name, kind and password hash."""
    session: SessionRow
    """The first session; without a device there is none."""
    user_id: int
    session_id: int
    operation_id: bytes = b""
    """16 bytes; with the session's device it makes the request happen once. Empty: not remembered."""
    digest: bytes = b""
    """16 bytes of what is asked."""
    invite_code: str = ""
    """Spend one use of this invite; empty: none."""


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A user and a session of theirs."""

    user: UserRow
    session: SessionRow | None
    duplicate: bool
    """An earlier request made the user; the session is a new one."""


def create_user(connection: Connection, new: NewUser, *, now: int) -> CreatedUser:
    """Make a user, or find the one that the same request made before, and open a session.

    The answer is remembered as the user's id alone, never with tokens: whoever repeats the request proves again who
    they are and is given new ones.

    Args:
        connection: inside a write transaction.
        new: what is asked for.
        now: the database's time, milliseconds since the epoch.

    Raises:
        ImError: HANDLE_TAKEN; INVITE_INVALID; CONFLICT: the operation id was used for something else.
    """
    user_id = _claim(connection, new, now) if new.operation_id else new.user_id
    duplicate = user_id != new.user_id
    if not duplicate:
        if new.invite_code:
            spend_invite(connection, new.invite_code, now=now)
        _insert_user(connection, new, now)
    session = None
    if new.session.device_id:
        wanted = SessionRow()
        wanted.CopyFrom(new.session)
        wanted.user_id = user_id
        session = open_session(connection, wanted, session_id=new.session_id, class_limit=0, now=now).session
    user = find_user(connection, user_id)
    assert user is not None
    return CreatedUser(user, session, duplicate)


def _claim(connection: Connection, new: NewUser, now: int) -> int:
    """The id of the user that this operation makes or has made."""
    row = {
        "device_id": new.session.device_id,
        "operation_id": new.operation_id,
        "digest": new.digest,
        "user_id": new.user_id,
        "time": now,
    }
    if insert_absent(connection, ENTRY_ACCOUNT, row):
        return new.user_id
    stored = connection.execute(
        select(ENTRY_ACCOUNT.c.digest, ENTRY_ACCOUNT.c.user_id).where(
            ENTRY_ACCOUNT.c.device_id == new.session.device_id, ENTRY_ACCOUNT.c.operation_id == new.operation_id
        )
    ).one()
    if stored.digest != new.digest:
        raise ImError(error_table.CONFLICT, "the operation_id was used for something else")
    user_id: int = stored.user_id
    return user_id


def _insert_user(connection: Connection, new: NewUser, now: int) -> None:
    row = {
        "user_id": new.user_id,
        "handle": new.user.handle.lower() or None,
        "display_name": new.user.display_name,
        "kind": new.user.kind,
        "password_hash": new.user.password_hash,
        "disabled_time": 0,
        "created_time": now,
        "seen_time": now,
    }
    try:
        connection.execute(insert(USER), row)
    except IntegrityError as error:
        raise ImError(error_table.HANDLE_TAKEN) from error
