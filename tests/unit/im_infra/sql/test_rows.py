"""Statements over any number of rows, run on each engine."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, select

from im_infra.sql.rows import delete_by_key, find_by_keys, in_list, insert_rows, mark, update_rows, upsert_cells
from im_infra.sql.statements import Statement, read_together, write_together
from im_infra.sql.types import BIG_INT
from tests.support.databases import mysql_engine

THING = Table(
    "thing",
    MetaData(),
    Column("a", BIG_INT, primary_key=True, autoincrement=False),
    Column("b", BIG_INT, nullable=False),
    Column("c", BIG_INT, nullable=False),
    Column("d", String(10), nullable=False),
)
COLUMNS = ("a", "b", "c", "d")
COUNTS = (1, 2, 3, 8, 9, 130)


@pytest.fixture(params=["sqlite", "mariadb"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    if request.param == "sqlite":
        engine = create_engine("sqlite://")
    else:
        server, name = request.getfixturevalue("mariadb_server"), request.getfixturevalue("mariadb_database")
        engine = mysql_engine(server.settings(name))
    with engine.begin() as connection:
        THING.metadata.create_all(connection)
        yield connection
    engine.dispose()


def write(connection: Connection, statement: Statement) -> None:
    write_together(connection, [statement])


def fill(connection: Connection, count: int) -> list[tuple[object, ...]]:
    made: list[tuple[object, ...]] = [(number, number * 2, 7, f"row {number}") for number in range(1, count + 1)]
    write(connection, insert_rows(connection.dialect.name, "thing", COLUMNS, made))
    return made


def rows(connection: Connection) -> Any:
    return [tuple(row) for row in connection.execute(select(THING).order_by(THING.c.a))]


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_inserted(connection: Connection, count: int) -> None:
    """And nothing besides them, however a statement is filled up."""
    assert fill(connection, count) == rows(connection)


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_found_by_their_keys(connection: Connection, count: int) -> None:
    """Each once; a key that is not there finds nothing."""
    fill(connection, 200)
    keys = [(number, number * 2) for number in range(1, count + 1)] + [(5, 11), (999, 999)]
    [found] = read_together(connection, [find_by_keys(connection.dialect.name, "thing", ("a", "d"), ("a", "b"), keys)])
    assert sorted(map(tuple, found)) == [(number, f"row {number}") for number in range(1, count + 1)]


@pytest.mark.parametrize("binary", [False, True])
def test_what_is_found_is_one_step_of_sqlite_s_driver_unless_it_holds_bytes(binary: bool) -> None:
    """The interpreter's lock goes away with each step, and a busy loop gives it back half a millisecond later."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        THING.metadata.create_all(connection)
        fill(connection, 100)
        question = find_by_keys("sqlite", "thing", ("a", "d"), ("a",), [(n,) for n in range(1, 91)], binary=binary)
        assert len(connection.exec_driver_sql(question.sql, tuple(question.values)).all()) == (90 if binary else 1)
        assert sorted(map(tuple, read_together(connection, [question])[0])) == [(n, f"row {n}") for n in range(1, 91)]
    engine.dispose()


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_updated_by_their_key(connection: Connection, count: int) -> None:
    """The named columns alone."""
    made = fill(connection, 200)
    change = [(number, -number) for number in range(1, count + 1)]
    others = {"b": "0", "d": "'no'"}
    write(connection, update_rows(connection.dialect.name, "thing", ("a", "c"), change, others=others))
    assert rows(connection) == [(a, b, -a if a <= count else c, d) for a, b, c, d in made]


@pytest.mark.parametrize("count", COUNTS)
def test_rows_are_deleted_by_their_key(connection: Connection, count: int) -> None:
    made = fill(connection, 200)
    write(connection, delete_by_key(connection.dialect.name, "thing", "a", [*range(1, count + 1), 999]))
    assert rows(connection) == made[count:]


@pytest.mark.parametrize("count", COUNTS)
def test_a_list_holds_any_number(connection: Connection, count: int) -> None:
    fill(connection, 200)
    marks, values = in_list(connection.dialect.name, range(1, count + 1))
    [[[found]]] = read_together(connection, [Statement(f"SELECT COUNT(*) FROM thing WHERE a IN {marks}", values)])
    assert found == count


@pytest.mark.parametrize("count", COUNTS)
def test_cells_hold_literals_among_values(connection: Connection, count: int) -> None:
    """In an INSERT that changes what is there."""
    fill(connection, 2)
    dialect = connection.dialect.name
    cells, values = upsert_cells(dialect, [(n, n + 1, f"new {n}") for n in range(1, count + 1)], ("", "", "5", ""))
    change = (
        "ON CONFLICT (a) DO UPDATE SET b = excluded.b"
        if dialect == "sqlite"
        else "ON DUPLICATE KEY UPDATE b = VALUES(b)"
    )
    write(connection, Statement(f"INSERT INTO thing ({', '.join(COLUMNS)}) {cells} {change}", values))
    expected = {1: (1, 2, 7, "row 1"), 2: (2, 4, 7, "row 2")}
    for number in range(1, count + 1):
        _, _, c, d = expected.get(number, (0, 0, 5, f"new {number}"))
        expected[number] = (number, number + 1, c, d)
    assert rows(connection) == [expected[number] for number in sorted(expected)]


def test_few_texts_serve_any_number_of_rows_on_sqlite() -> None:
    """Preparing one costs as much as running it."""
    texts = {insert_rows("sqlite", "thing", COLUMNS, [(1, 2, 3, "4")] * count).sql for count in range(1, 129)}
    assert len(texts) == 8


def test_keys_of_several_columns_are_found_through_the_index() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE pair (a INTEGER, b INTEGER, c INTEGER, PRIMARY KEY (a, b))")
        sql, values, _ = find_by_keys("sqlite", "pair", ("c",), ("a", "b"), [(2, 3), (4, 4)])
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", tuple(values))]
    assert any(step.startswith("SEARCH t USING INDEX") for step in plan), plan
    assert not any(step.startswith("SCAN t") for step in plan), plan
    engine.dispose()


def test_each_driver_has_its_mark() -> None:
    assert (mark("sqlite"), mark("mysql")) == ("?", "%s")
