"""A conversation's row under its lock, as a batch changes it in memory before it writes it back."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from im_infra.sql.expressions import for_update_sql, mark, now_ms_sql

_KEPT: Final = ("conversation_id", "kind", "epoch", "min_seq", "fanout_time")
_CHANGED: Final = (
    "status",
    "fanout",
    "max_seq",
    "max_count",
    "member_count",
    "member_version",
    "deny_version",
    "last_time",
    "active_time",
    "owner_id",
)


class LockedConversation:
    """One row; the fields are the columns of `im_repo.schema.CONVERSATION`."""

    __slots__ = (*_KEPT, *_CHANGED, "first_seq")

    def __init__(self, kept: Sequence[int], changed: Sequence[int]) -> None:
        self.conversation_id, self.kind, self.epoch, self.min_seq, self.fanout_time = kept
        (
            self.status,
            self.fanout,
            self.max_seq,
            self.max_count,
            self.member_count,
            self.member_version,
            self.deny_version,
            self.last_time,
            self.active_time,
            self.owner_id,
        ) = changed
        self.first_seq = self.max_seq + 1
        """The first seq that this transaction gives: what lies below is committed."""

    @property
    def touched(self) -> bool:
        """Whether this transaction appended to it."""
        return self.max_seq >= self.first_seq


def lock_conversations(
    connection: Connection, conversation_ids: Iterable[int]
) -> tuple[int, dict[int, LockedConversation]]:
    """Lock the rows in the order of their ids and read them, with the database's time.

    Returns:
        Milliseconds since the epoch (0 if none of the conversations exists), and the rows by id.
    """
    ids = sorted(set(conversation_ids))
    rows = connection.exec_driver_sql(_lock_sql(connection.dialect.name, len(ids)), tuple(ids)).all()
    edge = 1 + len(_KEPT)
    locked = {row[1]: LockedConversation(row[1:edge], row[edge:]) for row in rows}
    return (rows[0][0] if rows else 0), locked


def save_conversations(connection: Connection, conversations: Iterable[LockedConversation]) -> None:
    """Write back what changed in the rows that were appended to."""
    rows = [
        (
            one.status,
            one.fanout,
            one.max_seq,
            one.max_count,
            one.member_count,
            one.member_version,
            one.deny_version,
            one.last_time,
            one.active_time,
            one.owner_id,
            one.fanout_time,
            one.conversation_id,
        )
        for one in conversations
        if one.touched
    ]
    if rows:
        connection.exec_driver_sql(_save_sql(connection.dialect.name), rows)


@lru_cache(maxsize=512)
def _lock_sql(dialect: str, count: int) -> str:
    columns = ", ".join((*_KEPT, *_CHANGED))
    marks = ", ".join([mark(dialect)] * count)
    return (
        f"SELECT {now_ms_sql(dialect)}, {columns} FROM conversation "  # noqa: S608 - names only, values are bound
        f"WHERE conversation_id IN ({marks}) ORDER BY conversation_id{for_update_sql(dialect)}"
    )


@lru_cache(maxsize=4)
def _save_sql(dialect: str) -> str:
    changes = ", ".join(f"{name} = {mark(dialect)}" for name in (*_CHANGED, "fanout_time"))
    return f"UPDATE conversation SET {changes} WHERE conversation_id = {mark(dialect)}"  # noqa: S608 - as above
