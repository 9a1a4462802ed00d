"""A conversation's row under its lock, as a batch changes it in memory before it writes it back."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import String

from im_infra.sql.expressions import now_ms_sql
from im_infra.sql.rows import in_list, update_rows
from im_infra.sql.statements import Rows, Statement
from im_repo.schema import CONVERSATION

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
_OF_THE_LOG: Final = ("conversation_id", "max_seq", "max_count", "last_time", "active_time")
"""What an entry moves that changes nothing but its log: nearly every one."""


class LockedConversation:
    """One row; the fields are the columns of `im_repo.schema.CONVERSATION`."""

    __slots__ = (*_KEPT, *_CHANGED, "_as_read", "count_before", "first_seq")

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
        self.count_before = self.max_count
        """Countable entries below it."""
        self._as_read = self._beyond_its_log()

    def committed(self) -> None:
        """All that was changed is committed: from here on it counts as read."""
        self.first_seq = self.max_seq + 1
        self.count_before = self.max_count
        self._as_read = self._beyond_its_log()

    @property
    def changed_beyond_its_log(self) -> bool:
        """Whether members, status, versions, class or owner changed as well."""
        return self._beyond_its_log() != self._as_read

    def _beyond_its_log(self) -> tuple[int, ...]:
        return (
            self.status,
            self.fanout,
            self.member_count,
            self.member_version,
            self.deny_version,
            self.owner_id,
            self.fanout_time,
        )

    @property
    def touched(self) -> bool:
        """Whether this transaction appended to it."""
        return self.max_seq >= self.first_seq


def lock_question(dialect: str, conversation_ids: Iterable[int]) -> Statement:
    """Lock the rows in the order of their ids and read them, with the database's time; at least one id."""
    marks, values = in_list(dialect, sorted(set(conversation_ids)))
    return Statement(_LOCK[dialect].format(marks=marks), values)


def lock_answer(dialect: str, rows: Rows) -> tuple[int, dict[int, LockedConversation]]:
    """What `lock_question` was answered.

    Returns:
        Milliseconds since the epoch (any number if none of the conversations exists), and the rows by id.
    """
    if dialect == "sqlite":
        [[now, text]] = rows
        found = json.loads(text)
    else:
        now = rows[0][0] if rows else 0
        found = [row[1:] for row in rows]
    edge = len(_KEPT)
    return now, {row[0]: LockedConversation(row[:edge], row[edge:]) for row in found}


def save_conversations(dialect: str, conversations: Iterable[LockedConversation]) -> Statement:
    """Write back what changed in the rows that were appended to; there is at least one."""
    touched = [one for one in conversations if one.touched]
    if not any(one.changed_beyond_its_log for one in touched):
        rows = [(one.conversation_id, one.max_seq, one.max_count, one.last_time, one.active_time) for one in touched]
        return update_rows(dialect, "conversation", _OF_THE_LOG, rows, others=_OTHERS_OF_THE_LOG)
    whole = [tuple(getattr(one, name) for name in _SAVED) for one in touched]
    return update_rows(dialect, "conversation", _SAVED, whole, others=_OTHERS)


def _others(columns: Sequence[str]) -> dict[str, str]:
    """The columns of the table besides these, and a literal for each."""
    literals = {column.name: "''" if isinstance(column.type, String) else "0" for column in CONVERSATION.columns}
    return {name: literal for name, literal in literals.items() if name not in columns}


_OTHERS: Final = _others(_SAVED)
_OTHERS_OF_THE_LOG: Final = _others(_OF_THE_LOG)
_READ: Final = ", ".join((*_KEPT, *_CHANGED))
_LOCK: Final = {
    # One row of JSON instead of one a conversation: the driver hands the interpreter's lock back and forth for every row
    # it steps to, and each time may wait for a busy event loop. There is nothing to lock.
    "sqlite": f"SELECT {now_ms_sql('sqlite')}, json_group_array(json_array({_READ})) FROM conversation "  # noqa: S608 - names
    "WHERE conversation_id IN {marks}",
    "mysql": f"SELECT {now_ms_sql('mysql')}, {_READ} FROM conversation "  # noqa: S608 - names only, values are bound
    "WHERE conversation_id IN {marks} ORDER BY conversation_id FOR UPDATE",
}
