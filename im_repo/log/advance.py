"""Take conversations on by the entries that a batch adds, if they are still as they are known. For MySQL and MariaDB."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from im_infra.sql.at_once import GIVE_NOW
from im_infra.sql.expressions import now_ms_sql
from im_infra.sql.statements import Statement
from im_repo.log.locked import LockedConversation

_TEXTS: Final = 1_024
_HELD: Final = (
    "conversation_id",
    "epoch",
    "status",
    "fanout",
    "fanout_time",
    "member_version",
    "deny_version",
    "last_time",
    "max_seq",
    "max_count",
)
"""What an entry's fate and its ack rest on."""


def advance_conversations(conversations: Sequence[LockedConversation]) -> Statement:
    """Lock them and write what moved: the first statement of a transaction at once. One that has changed is not found.

    Args:
        conversations: at least one; all that was appended to them is countable.
    """
    ordered = sorted(conversations, key=lambda one: one.conversation_id)
    grown = [(one.conversation_id, by) for one in ordered if (by := one.max_seq - one.first_seq + 1) != 1]
    growth = [value for pair in grown for value in pair]
    known = [
        value
        for one in ordered
        for value in (
            one.conversation_id,
            one.epoch,
            one.status,
            one.fanout,
            one.fanout_time,
            one.member_version,
            one.deny_version,
            one.last_time,
            one.first_seq - 1,
            one.count_before,
        )
    ]
    values = [*growth, *growth, *(one.conversation_id for one in ordered), *known]
    return Statement(_advance_sql(len(ordered), len(grown)), values)


@lru_cache(_TEXTS)
def _advance_sql(count: int, more_than_one: int) -> str:
    growth = f"CASE conversation_id {'WHEN %s THEN %s ' * more_than_one}ELSE 1 END" if more_than_one else "1"
    ids = ", ".join(["%s"] * count)
    row = f"({', '.join(['%s'] * len(_HELD))})"
    return (
        f"UPDATE conversation SET max_seq = max_seq + {growth}, max_count = max_count + {growth}, "  # noqa: S608 - names
        f"last_time = GREATEST({GIVE_NOW}, last_time), active_time = GREATEST({now_ms_sql('mysql')}, last_time) "
        # The ids by themselves find the rows by their key, which the comparison of rows does not.
        f"WHERE conversation_id IN ({ids}) AND ({', '.join(_HELD)}) IN ({', '.join([row] * count)})"
    )
