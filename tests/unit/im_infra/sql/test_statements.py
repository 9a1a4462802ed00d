"""Statements that travel together, on a connection that has no shortcut and on one that has."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Connection, create_engine

from im_infra.sql.statements import SHORTCUT, Closing, Rows, Statement, close, read_together, write_together


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (id INTEGER PRIMARY KEY, body TEXT)")
        yield connection
    engine.dispose()


class Recorder:
    """A shortcut that only remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Sequence[Statement]] = []

    def read(self, statements: Sequence[Statement]) -> list[Rows]:
        self.told.append(statements)
        return [[(1,)] for _ in statements]

    def write(self, statements: Sequence[Statement]) -> list[int]:
        self.told.append(statements)
        return [7 for _ in statements]


def test_without_a_shortcut_they_run_one_after_the_other(connection: Connection) -> None:
    insert = Statement("INSERT INTO thing (body) VALUES (?)", ("x",))
    assert write_together(connection, [insert, insert]) == [1, 2]
    assert read_together(connection, [Statement("SELECT id FROM thing"), Statement("SELECT 0")]) == [
        [(1,), (2,)],
        [(0,)],
    ]


def test_a_shortcut_takes_them_all_at_once(connection: Connection) -> None:
    recorder = connection.info[SHORTCUT] = Recorder()
    statements = [Statement("one"), Statement("two")]
    assert read_together(connection, statements) == [[(1,)], [(1,)]]
    assert write_together(connection, statements) == [7, 7]
    assert recorder.told == [statements, statements]


def test_a_closing_answers_after_its_statements(connection: Connection) -> None:
    insert = Statement("INSERT INTO thing (body) VALUES (?)", ("x",))
    closing = Closing([insert], lambda ids: (ids, connection.exec_driver_sql("SELECT COUNT(*) FROM thing").scalar()))
    assert close(connection, closing) == ([1], 1)
