"""Rows of users and sessions as values of the contract."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, select

from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_repo.schema import SESSION, USER

SELECT_USER: Final[Select[Any]] = select(
    USER.c.user_id, USER.c.handle, USER.c.display_name, USER.c.kind, USER.c.password_hash, USER.c.disabled_time,
    USER.c.created_time,
)  # fmt: skip

SELECT_SESSION: Final[Select[Any]] = select(
    SESSION.c.session_id, SESSION.c.user_id, SESSION.c.device_id, SESSION.c.device_class, SESSION.c.device_name,
    SESSION.c.generation, SESSION.c.refresh_hash, SESSION.c.refresh_counter, SESSION.c.refresh_expire_time,
    SESSION.c.created_time, SESSION.c.seen_time, SESSION.c.revoked_time, SESSION.c.displaced_time,
)  # fmt: skip


def user_of(row: Sequence[Any]) -> UserRow:
    """The user of a row of `SELECT_USER`."""
    values = dict(zip(_USER_FIELDS, row, strict=True))
    return UserRow(**{**values, "handle": values["handle"] or ""})


def session_of(row: Sequence[Any]) -> SessionRow:
    """The session of a row of `SELECT_SESSION`."""
    return SessionRow(**dict(zip(_SESSION_FIELDS, row, strict=True)))


_USER_FIELDS: Final = tuple(SELECT_USER.selected_columns.keys())
_SESSION_FIELDS: Final = tuple(SELECT_SESSION.selected_columns.keys())
