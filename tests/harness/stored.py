"""The logs that a run left behind, from the database itself and over the public API."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

from im_bench.adapters.im.connection import Connection
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, Message, PullRequest
from tests.harness.checkers import Row

PAGE: Final = 200


class Cursor(Protocol):
    """As much of a database driver's cursor as reading needs."""

    def execute(self, statement: str, /) -> Any:
        """Run a statement."""

    def fetchall(self) -> Sequence[Sequence[Any]]:
        """All its rows."""


def from_database(path: Path) -> dict[int, list[Row]]:
    """Every log in an SQLite file, which must be whole.

    Raises:
        AssertionError: SQLite's own check of the file found something, or as `from_cursor`.
    """
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return from_cursor(connection.cursor())


def from_cursor(cursor: Cursor, only: Collection[int] | None = None) -> dict[int, list[Row]]:
    """Every log, or some.

    Raises:
        AssertionError: heads or ids do not follow from the rows.
    """
    where = f"IN ({','.join(map(str, only))})" if only is not None else "> 0"
    logs: dict[int, list[Row]] = defaultdict(list)
    ids = set()
    cursor.execute(
        "SELECT conversation_id, seq, sender_id, client_message_id, body FROM message"
        f" WHERE conversation_id {where} ORDER BY conversation_id, seq"
    )
    for conversation_id, seq, sender_id, client_message_id, body in cursor.fetchall():
        logs[conversation_id].append(Row(seq, sender_id, Content.FromString(body).text.text))
        ids.add((conversation_id, sender_id, client_message_id))
    cursor.execute(f"SELECT conversation_id, max_seq FROM conversation WHERE conversation_id {where} AND max_seq > 0")
    heads = {row[0]: row[1] for row in cursor.fetchall()}
    assert heads == {conversation_id: rows[-1].seq for conversation_id, rows in logs.items()}
    assert len(ids) == sum(len(rows) for rows in logs.values())
    return dict(logs)


def windows_from_database(path: Path) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Everybody's windows, by (conversation, user)."""
    windows: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    with closing(sqlite3.connect(path)) as connection:
        for conversation_id, user_id, *window in connection.execute(
            "SELECT conversation_id, user_id, from_seq, to_seq FROM member_window ORDER BY from_seq"
        ):
            windows[conversation_id, user_id].append((window[0], window[1]))
    return dict(windows)


def read_seq_from_database(path: Path, user_id: int, conversation_id: int) -> int:
    """Where a read cursor stands; 0: there is none."""
    statement = "SELECT read_seq FROM cursor WHERE user_id = ? AND conversation_id = ?"
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(statement, (user_id, conversation_id)).fetchone()
    return int(row[0]) if row else 0


async def from_api(connection: Connection, conversation_id: int) -> list[Row]:
    """A whole log as one member reads it, page by page."""
    rows: list[Row] = []
    while True:
        pull = PullRequest(conversation_id=conversation_id, from_seq=len(rows) + 1, limit=PAGE)
        page = (await connection.call(ClientFrame(pull=pull))).pull
        rows += [to_row(message) for message in page.messages]
        if not page.more:
            return rows


def to_row(message: Message) -> Row:
    """An entry as checkers see it."""
    return Row(message.seq, message.sender_id, message.content.text.text)
