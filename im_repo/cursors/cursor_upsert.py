"""The one statement that writes cursors: the greatest wins, whatever order the writers come in.

A count never falls while seq rises, so a read_seq and its read_count move together.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

from im_infra.sql.rows import upsert_cells
from im_infra.sql.statements import Statement

Third = Literal["received_seq", "last_send_time"]
"""What a writer moves besides read_seq and read_count; the others know nothing of it."""

_KEY: Final = ("user_id", "conversation_id")
_OTHERS: Final = ("received_seq", "last_send_time", "hide_seq", "hide_count", "settings")


def cursor_upsert(dialect: str, rows: Sequence[tuple[int, int, int, int, int]], third: Third) -> Statement:
    """An INSERT of cursors that raises those which are there; what is lower changes nothing.

    Args:
        dialect: `sqlite` or `mysql`.
        rows: user, conversation, read_seq, read_count and `third`; at least one, in the order of their keys, as every
            writer of cursors locks them.
        third: the column of the fifth value.
    """
    others = tuple(column for column in _OTHERS if column != third)
    columns = (*_KEY, "read_seq", "read_count", third, *others)
    cells, values = upsert_cells(dialect, rows, (*[""] * 5, *["0"] * len(others)))
    # CURSOR is a word of MySQL's own; SQLite takes its quotes too.
    return Statement(f"INSERT INTO `cursor` ({', '.join(columns)}) {cells} {_change(dialect, third)}", values)


@lru_cache(4)
def _change(dialect: str, third: Third) -> str:
    def new(column: str) -> str:
        return f"excluded.{column}" if dialect == "sqlite" else f"VALUES({column})"

    def old(column: str) -> str:
        return f"`cursor`.{column}"

    def further(column: str) -> str:
        return f"{new(column)} > {old(column)}"

    greatest = "MAX" if dialect == "sqlite" else "GREATEST"
    # read_count first: MySQL assigns from left to right, and it is decided by the read_seq before.
    sets = ", ".join(
        (
            f"read_count = CASE WHEN {further('read_seq')} THEN {new('read_count')} ELSE {old('read_count')} END",
            *(f"{column} = {greatest}({old(column)}, {new(column)})" for column in ("read_seq", third)),
        )
    )
    if dialect == "sqlite":
        return f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {sets} WHERE {further('read_seq')} OR {further(third)}"
    return f"ON DUPLICATE KEY UPDATE {sets}"
