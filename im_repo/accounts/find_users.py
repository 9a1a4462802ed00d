"""Find users."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam

from im_proto.repo.v1.account_pb2 import UserRow
from im_repo.accounts.rows import SELECT_USER, user_of
from im_repo.schema import USER

_BY_ID: Final = SELECT_USER.where(USER.c.user_id == bindparam("user_id"))
"""Made once: putting it together costs more than asking, and every Hello asks."""


def find_user(connection: Connection, user_id: int) -> UserRow | None:
    """The user of this id, or None."""
    row = connection.execute(_BY_ID, {"user_id": user_id}).one_or_none()
    return user_of(row) if row is not None else None


def find_user_by_handle(connection: Connection, handle: str) -> UserRow | None:
    """The user of this handle, whatever its case, or None."""
    if not handle:
        return None
    row = connection.execute(SELECT_USER.where(USER.c.handle == handle.lower())).one_or_none()
    return user_of(row) if row is not None else None


def read_profiles(connection: Connection, user_ids: Sequence[int]) -> list[UserRow]:
    """Those of the users that exist, by id, without password hashes."""
    rows = connection.execute(SELECT_USER.where(USER.c.user_id.in_(user_ids)).order_by(USER.c.user_id))
    profiles = [user_of(row) for row in rows]
    for profile in profiles:
        profile.ClearField("password_hash")
    return profiles


def list_users(
    connection: Connection, *, handle_prefix: str = "", kind: int = 0, after_user_id: int = 0, limit: int = 100
) -> list[UserRow]:
    """A page of users by id, with password hashes.

    Args:
        connection: any transaction.
        handle_prefix: only handles that start so; empty: all, guests among them.
        kind: only this value of im.v1.UserKind; 0: all.
        after_user_id: the last id of the page before.
        limit: at most so many.
    """
    statement = SELECT_USER.where(USER.c.user_id > after_user_id).order_by(USER.c.user_id).limit(limit)
    if handle_prefix:
        statement = statement.where(USER.c.handle.startswith(handle_prefix.lower(), autoescape=True))
    if kind:
        statement = statement.where(USER.c.kind == kind)
    return [user_of(row) for row in connection.execute(statement)]
