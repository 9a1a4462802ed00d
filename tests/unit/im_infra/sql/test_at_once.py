"""A transaction in one packet, on a real MariaDB: all of it or nothing, and refused where things have changed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from im_infra.sql import at_once
from im_infra.sql.errors import DataRejectedError, OutcomeUnknownError, StaleError
from im_infra.sql.expressions import read_now_ms
from im_infra.sql.mysql import MysqlDatabase, open_mysql
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_infra.sql.statements import Closing, Statement, read_together
from tests.support.mariadb import MariadbServer
from tests.support.tcp_proxy import NO_ANSWERS, OPEN, TcpProxy


@pytest.fixture
def name(mariadb_server: MariadbServer, mariadb_database: str) -> str:
    mariadb_server.administer(
        f"CREATE TABLE {mariadb_database}.thing (id BIGINT PRIMARY KEY, value BIGINT NOT NULL, time BIGINT NOT NULL)",
        f"CREATE TABLE {mariadb_database}.numbered (id BIGINT PRIMARY KEY AUTO_INCREMENT, time BIGINT NOT NULL)",
        f"INSERT INTO {mariadb_database}.thing VALUES (1, 0, 0), (2, 0, 0)",
    )
    return mariadb_database


@pytest.fixture
async def database(mariadb_server: MariadbServer, name: str) -> AsyncIterator[MysqlDatabase]:
    async with open_mysql(mariadb_server.settings(name, append_connections=1)) as database:
        yield database


async def write(database: MysqlDatabase, *statements: Statement) -> Any:
    assert database.write_at_once is not None
    return await database.write_at_once(statements)


async def ask(database: MysqlDatabase, sql: str) -> Any:
    return await database.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)])


async def connection_id(database: MysqlDatabase) -> Any:
    def unit(connection: Any) -> Closing[Any]:
        [[row]] = read_together(connection, [Statement("SELECT CONNECTION_ID()")])
        return Closing([], lambda _ids: row[0])

    return await database.write_closing(unit)


def advance(known: int, *ids: int) -> Statement:
    marks = ", ".join(["%s"] * len(ids))
    return Statement(
        f"UPDATE thing SET value = value + 1, time = {at_once.GIVE_NOW} WHERE id IN ({marks}) AND value = %s",
        (*ids, known),
    )


def insert(key: int, value: Any, time: Any = 0) -> Statement:
    return Statement("INSERT INTO thing VALUES (%s, %s, %s)", (key, value, time))


async def test_the_first_statement_gives_the_time_to_those_after_it(database: MysqlDatabase) -> None:
    before = await database.read(read_now_ms)
    later = before + 3_600_000
    ids = await write(
        database,
        advance(0, 1, 2),
        insert(3, at_once.if_changed(2, 7), at_once.not_before(5)),
        insert(4, 8, at_once.not_before(later)),
        Statement("INSERT INTO numbered (time) VALUES (%s)", (at_once.after(1_000),)),
    )
    now, number = ids[0], ids[3]
    assert before <= now <= await database.read(read_now_ms)
    assert await ask(database, "SELECT * FROM thing ORDER BY id") == [
        (1, 1, now),
        (2, 1, now),
        (3, 7, now),
        (4, 8, later),
    ]
    assert await ask(database, "SELECT * FROM numbered") == [(number, now + 1_000)]


@pytest.mark.parametrize("keys", [(1,), (1, 2), (1, 9)])
async def test_what_has_changed_is_refused_and_leaves_nothing(database: MysqlDatabase, keys: Any) -> None:
    """One row of them is enough; the connection is kept, and its next transaction is another one."""
    connection = await connection_id(database)
    with pytest.raises(StaleError):
        await write(database, advance(0 if 9 in keys else 5, *keys), insert(3, at_once.if_changed(len(keys), 7)))
    assert await connection_id(database) == connection
    await write(database, insert(4, 0))
    assert await ask(database, "SELECT id, value FROM thing ORDER BY id") == [(1, 0), (2, 0), (4, 0)]


async def test_locks_of_what_was_refused_are_let_go(
    database: MysqlDatabase, mariadb_server: MariadbServer, name: str
) -> None:
    with pytest.raises(StaleError):
        await write(database, advance(0, 1), insert(3, at_once.if_changed(2, 7)))
    mariadb_server.administer(
        "SET SESSION innodb_lock_wait_timeout = 1", f"UPDATE {name}.thing SET value = 3 WHERE id = 1"
    )


async def test_a_key_that_is_there_is_refused(database: MysqlDatabase) -> None:
    with pytest.raises(StaleError):
        await write(database, insert(3, 0), insert(1, 0))
    assert await ask(database, "SELECT id FROM thing ORDER BY id") == [(1,), (2,)]


async def test_other_errors_are_what_they_are_elsewhere(database: MysqlDatabase) -> None:
    """Nothing is committed; the next one passes."""
    with pytest.raises(DataRejectedError):
        await write(database, insert(3, 0), insert(1 << 70, 0))
    await write(database, insert(3, 0))
    assert await ask(database, "SELECT id FROM thing ORDER BY id") == [(1,), (2,), (3,)]


async def test_a_lost_answer_is_unknown(mariadb_server: MariadbServer, name: str) -> None:
    """Never run again by itself."""
    proxy = TcpProxy(mariadb_server.engine.port)
    async with proxy.open() as port, open_mysql(mariadb_server.settings(name, port=port)) as database:
        await write(database, advance(0, 1))
        proxy.set_passage(NO_ANSWERS)
        writing = asyncio.create_task(write(database, advance(1, 1)))
        async with asyncio.timeout(10):
            while mariadb_server.administer(f"SELECT value FROM {name}.thing WHERE id = 1") != [(2,)]:
                await asyncio.sleep(0.01)
        await proxy.cut()
        proxy.set_passage(OPEN)
        with pytest.raises(OutcomeUnknownError):
            await writing
        assert await ask(database, "SELECT value FROM thing WHERE id = 1") == [(2,)]


async def test_an_engine_without_round_trips_has_none(tmp_path: Any) -> None:
    async with open_sqlite(tmp_path / "im.db", SqliteSettings()) as database:
        assert database.write_at_once is None
