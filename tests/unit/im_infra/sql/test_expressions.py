"""What the engines write differently."""

import time
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import mysql

from im_infra.sql.expressions import (
    find_by_keys_sql,
    greatest,
    insert_rows,
    now_ms,
    now_ms_sql,
    read_now_ms,
    update_by_key,
    upsert,
)
from im_infra.sql.types import BIG_INT

THING = Table(
    "thing",
    MetaData(),
    Column("a", BIG_INT, primary_key=True),
    Column("b", BIG_INT, primary_key=True),
    Column("c", BIG_INT),
)


@pytest.fixture
def connection() -> Any:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        THING.metadata.create_all(connection)
        yield connection
    engine.dispose()


def rows(connection: Connection) -> Any:
    return [tuple(row) for row in connection.execute(select(THING).order_by(THING.c.a, THING.c.b))]


def test_the_database_tells_milliseconds(connection: Connection) -> None:
    before = time.time_ns() // 1_000_000
    assert before - 2 <= read_now_ms(connection) <= before + 5_000
    assert abs(connection.scalar(select(now_ms("sqlite"))) - before) < 5_000


def test_rows_are_inserted_and_updated_by_key(connection: Connection) -> None:
    insert_rows(connection, "thing", ("a", "b", "c"), [(1, 1, 10), (2, 1, 20), (3, 1, 30)])
    update_by_key(connection, "thing", key="a", changed=("b", "c"), rows=[(1, 5, 11), (3, 7, 33), (9, 9, 9)])
    assert rows(connection) == [(1, 5, 11), (2, 1, 20), (3, 7, 33)]


def test_no_rows_are_no_statement(connection: Connection) -> None:
    insert_rows(connection, "thing", ("a",), [])
    update_by_key(connection, "thing", key="a", changed=("b",), rows=[])
    assert rows(connection) == []


def test_keys_of_several_columns_are_found_through_the_index(connection: Connection) -> None:
    insert_rows(connection, "thing", ("a", "b", "c"), [(a, b, a * b) for a in range(5) for b in range(5)])
    sql = find_by_keys_sql("sqlite", "thing", ("a", "b", "c"), ("a", "b"), 2)
    assert sorted(map(tuple, connection.exec_driver_sql(sql, (2, 3, 4, 4)))) == [(2, 3, 6), (4, 4, 16)]
    plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (2, 3, 4, 4))]
    assert any(step.startswith("SEARCH t USING INDEX") for step in plan), plan
    assert not any(step.startswith("SCAN t") for step in plan), plan


def test_a_row_that_is_there_is_changed(connection: Connection) -> None:
    change = upsert(
        "sqlite",
        THING,
        key=("a", "b"),
        change=lambda new: {"c": greatest("sqlite", THING.c.c, new["c"])},
    )
    connection.execute(insert(THING), {"a": 1, "b": 1, "c": 5})
    connection.execute(change, [{"a": 1, "b": 1, "c": 3}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 4}])
    assert rows(connection) == [(1, 1, 5), (1, 2, 4)]


def test_mysql_is_written_its_own_way() -> None:
    """Compared as text until there is a member that runs it."""
    change = upsert("mysql", THING, key=("a", "b"), change=lambda new: {"c": greatest("mysql", THING.c.c, new["c"])})
    text = str(change.compile(dialect=mysql.dialect()))
    assert "ON DUPLICATE KEY UPDATE c = greatest(thing.c, VALUES(c))" in text or "AS new ON DUPLICATE" in text
    assert find_by_keys_sql("mysql", "thing", ("c",), ("a", "b"), 2) == (
        "SELECT t.c FROM thing AS t WHERE (t.a, t.b) IN ((%s, %s), (%s, %s))"
    )
    assert "UNIX_TIMESTAMP" in now_ms_sql("mysql")
