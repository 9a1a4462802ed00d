"""What the engines write differently."""

import time
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, select

from im_infra.sql.expressions import greatest, now_ms, read_now_ms, upsert
from im_infra.sql.types import BIG_INT
from tests.support.databases import mysql_engine
from tests.support.mariadb import MariadbServer

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


def test_mysql_assigns_in_the_order_it_is_given(mariadb_server: MariadbServer, mariadb_database: str) -> None:
    """A later column may rest on what an earlier one was."""
    engine = mysql_engine(mariadb_server.settings(mariadb_database))
    with engine.begin() as connection:
        THING.metadata.create_all(connection)
        change = upsert(
            "mysql", THING, key=("a", "b"),
            change=lambda new: {"c": THING.c.c + THING.c.b, "b": greatest("mysql", THING.c.b, new["b"] + 5)},
        )  # fmt: skip
        connection.execute(insert(THING), {"a": 1, "b": 1, "c": 5})
        connection.execute(change, [{"a": 1, "b": 1, "c": 3}])
        assert rows(connection) == [(1, 6, 6)]
        now = time.time_ns() // 1_000_000
        assert abs(read_now_ms(connection) - now) < 5_000
        assert abs(connection.scalar(select(now_ms("mysql"))) - now) < 5_000
    engine.dispose()
