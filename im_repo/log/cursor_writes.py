"""What an append moves in `cursor`: read cursors of senders and joiners, and the times that slow mode asks for.

Nothing here grants anything: membership is in `member`. All moves of a batch are one statement.
"""

from collections.abc import Collection
from typing import Final

from im_infra.sql.rows import find_by_keys
from im_infra.sql.statements import Rows, Statement
from im_repo.cursors.cursor_upsert import cursor_upsert

CursorKey = tuple[int, int]
"""User and conversation."""

_KEY: Final = ("user_id", "conversation_id")


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
        rows = [(*key, seq, count, time) for key, (seq, count, time) in sorted(self._moves.items())]
        self._moves.clear()
        return [cursor_upsert(dialect, rows, "last_send_time")]
