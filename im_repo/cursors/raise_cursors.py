"""Write cursors: the greatest wins, whatever order the writers come in."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case
from sqlalchemy.sql.dml import Insert

from im_infra.sql.expressions import greatest, upsert
from im_repo.cursors.standings import Place
from im_repo.schema import CURSOR


class CursorTarget(NamedTuple):
    """Where a cursor shall be at least; 0: no matter."""

    place: Place
    read_seq: int = 0
    read_count: int = 0
    received_seq: int = 0


def raise_cursors(connection: Connection, targets: Sequence[CursorTarget]) -> None:
    """Raise each cursor to its target, or make it; one multi-row statement. A lower target changes nothing."""
    connection.execute(
        _statement(connection.dialect.name),
        [
            {
                "user_id": target.place.user_id,
                "conversation_id": target.place.conversation_id,
                "read_seq": target.read_seq,
                "read_count": target.read_count,
                "received_seq": target.received_seq,
                "hide_seq": 0,
                "hide_count": 0,
                "last_send_time": 0,
                "settings": 0,
            }
            for target in sorted(targets)
        ],
    )


@cache
def _statement(dialect: str) -> Insert:
    def change(new: Mapping[str, ColumnElement[Any]]) -> dict[str, Any]:
        # read_count first: MySQL assigns from left to right, and it is decided by the read_seq before.
        further = new["read_seq"] > CURSOR.c.read_seq
        return {
            "read_count": case((further, new["read_count"]), else_=CURSOR.c.read_count),
            "read_seq": greatest(dialect, CURSOR.c.read_seq, new["read_seq"]),
            "received_seq": greatest(dialect, CURSOR.c.received_seq, new["received_seq"]),
        }

    return upsert(dialect, CURSOR, key=["user_id", "conversation_id"], change=change)
