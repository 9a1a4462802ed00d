"""The logs that a run left behind, from the SQLite file itself and over the public API."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Final

from im_bench.adapters.im.connection import Connection
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, Message, PullRequest
from tests.harness.checkers import Row

PAGE: Final = 200


def from_database(path: Path) -> dict[int, list[Row]]:
    """Every log in the file, which must be whole.

    Raises:
        AssertionError: SQLite's own check of the file found something, or counts do not follow from the rows.
    """
    logs: dict[int, list[Row]] = defaultdict(list)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        statement = "SELECT conversation_id, seq, sender_id, body FROM message ORDER BY conversation_id, seq"
        for conversation_id, seq, sender_id, body in connection.execute(statement):
            logs[conversation_id].append(Row(seq, sender_id, Content.FromString(body).text.text))
        heads = dict(connection.execute("SELECT conversation_id, max_seq FROM conversation WHERE max_seq > 0"))
        assert heads == {conversation_id: rows[-1].seq for conversation_id, rows in logs.items()}
        doubles = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM message GROUP BY sender_id, client_message_id, conversation_id"
            " HAVING count(*) > 1)"
        )
        assert doubles.fetchone() == (0,)
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
