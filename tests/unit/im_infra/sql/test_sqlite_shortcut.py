"""The way past SQLAlchemy to SQLite."""

import sqlite3
from collections.abc import Iterator

import pytest

from im_infra.sql.sqlite_shortcut import SqliteShortcut
from im_infra.sql.statements import Statement


@pytest.fixture
def shortcut() -> Iterator[SqliteShortcut]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, body BLOB)")
    yield SqliteShortcut(connection)
    connection.close()


def test_ids_and_rows_come_in_the_order_of_the_statements(shortcut: SqliteShortcut) -> None:
    insert = Statement("INSERT INTO thing (body) VALUES (?)", (b"x",))
    assert shortcut.write([insert, insert]) == [1, 2]
    found = shortcut.read([Statement("SELECT id FROM thing WHERE id > ?", (0,)), Statement("SELECT 7 WHERE 0")])
    assert found == [[(1,), (2,)], []]


def test_an_error_is_the_driver_s_own(shortcut: SqliteShortcut) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        shortcut.write([Statement("INSERT INTO thing VALUES (1, ?)", (b"x",))] * 2)
