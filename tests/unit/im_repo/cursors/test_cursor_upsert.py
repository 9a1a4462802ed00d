"""One statement, whoever writes and however many rows: two writers know nothing of each other's third column."""

from typing import Any

from sqlalchemy import Connection, select

from im_infra.sql.statements import write_together
from im_repo.cursors.cursor_upsert import Third, cursor_upsert
from im_repo.schema import CURSOR


def put(connection: Connection, third: Third, *rows: tuple[int, int, int, int, int]) -> None:
    write_together(connection, [cursor_upsert(connection.dialect.name, rows, third)])


def stored(connection: Connection) -> dict[tuple[int, int], tuple[int, ...]]:
    of = CURSOR.c
    columns = (of.user_id, of.conversation_id, of.read_seq, of.read_count, of.received_seq, of.last_send_time)
    return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(select(*columns))}


def test_each_third_column_is_left_alone_by_the_other(connection: Connection) -> None:
    put(connection, "received_seq", (7, 1, 3, 2, 4))
    put(connection, "last_send_time", (7, 1, 0, 0, 99))
    assert stored(connection) == {(7, 1): (3, 2, 4, 99)}
    put(connection, "received_seq", (7, 1, 0, 0, 2))
    put(connection, "last_send_time", (7, 1, 5, 4, 98))
    assert stored(connection) == {(7, 1): (5, 4, 4, 99)}


def test_many_rows_some_of_them_there(connection: Connection, seed: Any) -> None:
    seed.cursor(7, 2, read_seq=9, hide_seq=1)
    put(connection, "received_seq", *((7, conversation_id, 2, 2, 3) for conversation_id in range(1, 71)))
    found = stored(connection)
    assert len(found) == 70
    assert found.pop((7, 2))[:1] == (9,)
    assert set(found.values()) == {(2, 2, 3, 0)}


def test_few_texts_serve_any_number_of_cursors_on_sqlite() -> None:
    """Preparing one costs as much as running it."""
    texts = {
        cursor_upsert("sqlite", [(user_id, 1, 1, 1, 1) for user_id in range(1, count + 1)], "received_seq").sql
        for count in range(1, 101)
    }
    assert len(texts) == 8
