"""What an append moves in `cursor`: read cursors of senders and joiners, and the times that slow mode asks for.

Greatest wins, and nothing here grants anything: membership is in `member`. A count never falls while seq rises, so the
greatest of each belong together. All moves of a batch are one statement, its rows in the order of their keys, as every
writer of cursors locks them.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from im_infra.sql.rows import find_by_keys, upsert_cells
from im_infra.sql.statements import Rows, Statement

CursorKey = tuple[int, int]
"""User and conversation."""

_KEY: Final = ("user_id", "conversation_id")
_MOVED: Final = ("read_seq", "read_count", "last_send_time")
_OTHERS: Final = ("received_seq", "hide_seq", "hide_count", "settings")
_COLUMNS: Final = (*_KEY, *_MOVED, *_OTHERS)
_CELLS: Final = (*[""] * len((*_KEY, *_MOVED)), *["0"] * len(_OTHERS))


def last_sends_question(dialect: str, keys: Collection[CursorKey]) -> Statement:
    """Ask when each of them last sent, where slow mode is on."""
    # CURSOR is a word of MySQL's own; SQLite takes its quotes too.
    return find_by_keys(dialect, "`cursor`", (*_KEY, "last_send_time"), _KEY, list(keys))


def last_sends_answer(rows: Rows) -> dict[CursorKey, int]:
    """What `last_sends_question` was answered; who never sent is left out."""
    return {(row[0], row[1]): row[2] for row in rows}


class CursorMoves:
    """What a batch has to write to cursors, gathered while its entries are decided."""

    def __init__(self) -> None:
        self._moves: dict[CursorKey, list[int]] = {}

    def read(self, key: CursorKey, seq: int, count: int) -> None:
        """Read up to an entry, and the countable ones up to it."""
        move = self._moves.get(key)
        if move is None:
            self._moves[key] = [seq, count, 0]
        elif seq > move[0]:
            move[:2] = seq, count

    def sent(self, key: CursorKey, time: int) -> None:
        """Sent at a time, where slow mode is on."""
        self._moves.setdefault(key, [0, 0, 0])[2] = time

    def take(self, dialect: str) -> list[Statement]:
        """The statement that writes what was gathered, if anything was; then nothing is."""
        if not self._moves:
            return []
        rows = [(*key, *move) for key, move in sorted(self._moves.items())]
        self._moves.clear()
        cells, values = upsert_cells(dialect, rows, _CELLS)
        return [Statement(f"{_INTO} {cells} {_change(dialect)}", values)]


_INTO: Final = f"INSERT INTO `cursor` ({', '.join(_COLUMNS)})"


@lru_cache(4)
def _change(dialect: str) -> str:
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
            *(f"{column} = {greatest}({old(column)}, {new(column)})" for column in ("read_seq", "last_send_time")),
        )
    )
    if dialect == "sqlite":
        moves = f"{further('read_seq')} OR {further('last_send_time')}"
        return f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {sets} WHERE {moves}"
    return f"ON DUPLICATE KEY UPDATE {sets}"
