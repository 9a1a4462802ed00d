"""Raise many cursors in one statement."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from im_infra.sql.statements import write_together
from im_repo.cursors.cursor_upsert import cursor_upsert
from im_repo.cursors.standings import Place


class CursorTarget(NamedTuple):
    """Where a cursor shall be at least; 0: no matter."""

    place: Place
    read_seq: int = 0
    read_count: int = 0
    received_seq: int = 0


def raise_cursors(connection: Connection, targets: Sequence[CursorTarget]) -> None:
    """Raise each cursor to its target, or make it; at least one. A lower target changes nothing."""
    rows = [(*place, read_seq, read_count, received) for place, read_seq, read_count, received in sorted(targets)]
    write_together(connection, [cursor_upsert(connection.dialect.name, rows, "received_seq")])
