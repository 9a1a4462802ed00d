"""A conversation's row under its lock, as a batch changes it in memory before it writes it back."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from im_infra.sql.expressions import mark, now_ms_sql, update_by_key

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
_SAVED: Final = ("conversation_id", *_CHANGED, "fanout_time")


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
        Milliseconds since the epoch (any number if none of the conversations exists), and the rows by id.
    """
    ids = sorted(set(conversation_ids))
    found = connection.exec_driver_sql(_lock_sql(connection.dialect.name, len(ids)), tuple(ids))
    if connection.dialect.name == "sqlite":
        now, text = found.one()
        rows = json.loads(text)
    else:
        timed = found.all()
        now = timed[0][0] if timed else 0
        rows = [row[1:] for row in timed]
    edge = len(_KEPT)
    return now, {row[0]: LockedConversation(row[:edge], row[edge:]) for row in rows}


def save_conversations(connection: Connection, conversations: Iterable[LockedConversation]) -> None:
    """Write back what changed in the rows that were appended to."""
    touched = [one for one in conversations if one.touched]
    rows = [tuple(getattr(one, name) for name in _SAVED) for one in touched]
    update_by_key(connection, "conversation", key="conversation_id", changed=_SAVED[1:], rows=rows)


@lru_cache(maxsize=512)
def _lock_sql(dialect: str, count: int) -> str:
    columns = ", ".join((*_KEPT, *_CHANGED))
    now = now_ms_sql(dialect)
    marks = ", ".join([mark(dialect)] * count)
    if dialect == "sqlite":
        # One row of JSON instead of one a conversation: the driver hands the interpreter's lock back and forth for
        # every row it steps to, and each time may wait for a busy event loop. There is nothing to lock.
        return (
            f"SELECT {now}, json_group_array(json_array({columns})) "  # noqa: S608 - names only, values are bound
            f"FROM conversation WHERE conversation_id IN ({marks})"
        )
    return (
        f"SELECT {now}, {columns} FROM conversation "  # noqa: S608 - as above
        f"WHERE conversation_id IN ({marks}) ORDER BY conversation_id FOR UPDATE"
    )
