"""The distributed member on a real MariaDB: deadlocks, lost connections, unknown commits, a server that goes away."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.util import await_

from im_infra.sql.errors import OutcomeUnknownError, StoreBusyError, StoreFullError, StoreUnavailableError
from im_infra.sql.mysql import MysqlDatabase, open_mysql
from im_infra.sql.statements import Closing, Statement, read_together
from tests.support.mariadb import MariadbServer, start_mariadb
from tests.support.small_disk import fill, may_mount, small_disk
from tests.support.tcp_proxy import NO_ANSWERS, OPEN, TcpProxy

INSERT = Statement("INSERT INTO thing VALUES (3, 0)")


@pytest.fixture
def name(mariadb_server: MariadbServer, mariadb_database: str) -> str:
    """A database with two rows."""
    make(mariadb_server, mariadb_database)
    return mariadb_database


@pytest.fixture
async def database(mariadb_server: MariadbServer, name: str) -> AsyncIterator[MysqlDatabase]:
    async with open_mysql(mariadb_server.settings(name)) as database:
        yield database


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    """One that tests may kill, freeze and forbid to write."""
    with start_mariadb(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def own_name(own_server: MariadbServer) -> Iterator[str]:
    name = own_server.make_database()
    make(own_server, name)
    yield name
    own_server.drop_database(name)


def make(server: MariadbServer, name: str) -> None:
    server.administer(
        f"CREATE TABLE {name}.thing (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)",
        f"INSERT INTO {name}.thing VALUES (1, 0), (2, 0)",
    )


def ask(sql: str) -> Callable[[Connection], Any]:
    return lambda connection: connection.exec_driver_sql(sql).scalar()


def raise_value(key: int) -> Callable[[Connection], None]:
    return lambda connection: (
        connection.exec_driver_sql(f"UPDATE thing SET value = value + 1 WHERE id = {key}") and None
    )


def insert(_connection: Connection) -> Closing[None]:
    return Closing([INSERT], lambda _ids: None)


async def values(database: MysqlDatabase) -> list[tuple[int, int]]:
    return await database.read(
        lambda connection: [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM thing ORDER BY id")]
    )


async def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_deadlock_runs_the_whole_unit_again(database: MysqlDatabase) -> None:
    """Two units that lock in opposite order both pass, one of them at a second try."""
    runs: list[int] = []
    met = asyncio.Barrier(2)

    def unit(first: int, second: int) -> Callable[[Connection], None]:
        tries = 0

        def run(connection: Connection) -> None:
            nonlocal tries
            tries += 1
            runs.append(first)
            raise_value(first)(connection)
            if tries == 1:
                await_(met.wait())
            raise_value(second)(connection)

        return run

    await asyncio.gather(database.write(unit(1, 2)), database.write(unit(2, 1)))
    assert len(runs) == 3
    assert await values(database) == [(1, 2), (2, 2)]


async def test_a_deadlock_in_a_closing_runs_the_whole_unit_again(database: MysqlDatabase) -> None:
    """Nothing was committed: it is a statement of the packet that met it, not the COMMIT."""
    runs: list[int] = []
    met = asyncio.Barrier(2)

    def unit(first: int, second: int) -> Callable[[Connection], Closing[None]]:
        tries = 0

        def run(connection: Connection) -> Closing[None]:
            nonlocal tries
            tries += 1
            runs.append(first)
            raise_value(first)(connection)
            if tries == 1:
                await_(met.wait())
            last = Statement("UPDATE thing SET value = value + %s WHERE id = %s", (1, second))
            return Closing([last], lambda _ids: None)

        return run

    await asyncio.gather(database.write_closing(unit(1, 2)), database.write_closing(unit(2, 1)))
    assert len(runs) == 3
    assert await values(database) == [(1, 2), (2, 2)]


@pytest.mark.parametrize("write", ["write", "write_closing"])
async def test_a_connection_killed_before_the_commit_runs_the_unit_again(
    mariadb_server: MariadbServer, name: str, database: MysqlDatabase, write: Any
) -> None:
    """On another connection, once: nothing of the first run is there."""
    killed: list[int] = []

    def unit(connection: Connection) -> Any:
        raise_value(1)(connection)
        if not killed:
            killed.append(mariadb_server.kill_connections(name))
        raise_value(2)(connection)
        return Closing([INSERT], lambda _ids: None)

    await getattr(database, write)(unit)
    assert killed
    assert (await values(database))[:2] == [(1, 1), (2, 1)]


async def test_a_connection_killed_between_the_packets_runs_the_unit_again(
    mariadb_server: MariadbServer, name: str, database: MysqlDatabase
) -> None:
    """What was read under the first run's locks is read again."""
    runs = 0

    def unit(connection: Connection) -> Closing[Any]:
        nonlocal runs
        runs += 1
        [[row]] = read_together(connection, [Statement("SELECT value FROM thing WHERE id = 1 FOR UPDATE")])
        if runs == 1:
            mariadb_server.kill_connections(name)
            mariadb_server.administer(f"UPDATE {name}.thing SET value = 7 WHERE id = 1")
        change = Statement("UPDATE thing SET value = %s WHERE id = 1", (row[0] + 1,))
        return Closing([change], lambda _ids: row[0])

    # The packet that meets the dead connection holds a COMMIT: whether it happened is for the caller to find out.
    with pytest.raises(OutcomeUnknownError):
        await database.write_closing(unit)
    assert runs == 1
    assert await database.write_closing(unit) == 7
    assert await values(database) == [(1, 8), (2, 0)]


async def test_a_connection_that_breaks_again_and_again_is_told(
    mariadb_server: MariadbServer, name: str, database: MysqlDatabase
) -> None:
    runs: list[int] = []

    def unit(connection: Connection) -> None:
        runs.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
        mariadb_server.administer(f"KILL {runs[-1]}")
        raise_value(1)(connection)

    with pytest.raises(StoreUnavailableError):
        await database.write(unit)
    assert len(set(runs)) == 2
    assert await values(database) == [(1, 0), (2, 0)]


@pytest.mark.parametrize("write", ["write", "write_closing"])
async def test_a_commit_whose_answer_is_lost_is_unknown_and_never_run_again(
    mariadb_server: MariadbServer, name: str, write: Any
) -> None:
    """It did happen here; the next unit has a connection that works."""
    proxy = TcpProxy(mariadb_server.engine.port)
    runs: list[int] = []

    def unit(connection: Connection) -> Any:
        runs.append(1)
        raise_value(1)(connection)
        proxy.set_passage(NO_ANSWERS)
        return Closing([INSERT], lambda _ids: None)

    async with proxy.open() as port, open_mysql(mariadb_server.settings(name, port=port)) as database:
        writing = asyncio.create_task(getattr(database, write)(unit))
        await until(lambda: mariadb_server.administer(f"SELECT value FROM {name}.thing WHERE id = 1") == [(1,)])
        await proxy.cut()
        proxy.set_passage(OPEN)
        with pytest.raises(OutcomeUnknownError):
            await writing
        assert runs == [1]
        assert (await values(database))[0] == (1, 1)


async def test_a_connection_that_saw_an_error_is_not_used_again(database: MysqlDatabase) -> None:
    """Nor one that saw a cancel; one whose unit refused something goes on."""
    seen: list[int] = []

    def unit(error: BaseException | None, sql: str = "DO 0") -> Callable[[Connection], None]:
        def run(connection: Connection) -> None:
            seen.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
            if error is not None:
                raise error
            connection.exec_driver_sql(sql)

        return run

    with pytest.raises(ZeroDivisionError):
        await database.write(unit(ZeroDivisionError()))
    with pytest.raises(Exception, match="1146"):
        await database.write(unit(None, "SELECT * FROM nowhere"))
    await database.write(unit(None))
    assert seen[0] == seen[1] != seen[2]


async def test_a_unit_beyond_its_deadline_is_given_up(mariadb_server: MariadbServer, name: str) -> None:
    """Its connection with it: the locks it held are free."""
    async with open_mysql(mariadb_server.settings(name, unit_timeout_s=0.5)) as database:

        def unit(connection: Connection) -> None:
            raise_value(1)(connection)
            await_(asyncio.Event().wait())

        with pytest.raises(StoreUnavailableError, match=r"within 0\.5 s"):
            await database.write(unit)
        await database.write(raise_value(1))
        assert await values(database) == [(1, 1), (2, 0)]


async def test_without_a_free_connection_a_unit_is_told(mariadb_server: MariadbServer, name: str) -> None:
    """It never began."""
    runs: list[int] = []

    def unit(_connection: Connection) -> None:
        runs.append(1)
        await_(asyncio.Event().wait())

    async with open_mysql(mariadb_server.settings(name, write_connections=1, unit_timeout_s=0.5)) as database:
        outcomes = await asyncio.gather(database.write(unit), database.write(unit), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError, StoreBusyError]
        assert runs == [1]
        await database.write(raise_value(1))


async def test_a_read_is_answered_before_its_transaction_is_ended(database: MysqlDatabase) -> None:
    """That takes a round trip more, which nobody has to wait for; the next unit on the connection sees what is new."""
    gate = asyncio.Event()

    def unit(connection: Connection) -> int:
        event.listen(connection, "rollback", lambda _connection: await_(gate.wait()))
        return int(connection.exec_driver_sql("SELECT value FROM thing WHERE id = 1").scalar_one())

    async with asyncio.timeout(10):
        before = await database.read(unit)
        gate.set()
        await database.write(lambda connection: connection.exec_driver_sql("UPDATE thing SET value = value + 1"))
        for _ in range(4):
            now = await database.read(
                lambda connection: connection.exec_driver_sql("SELECT value FROM thing WHERE id = 1").scalar_one()
            )
            assert now == before + 1


async def test_only_appends_may_send_several_statements_at_once(database: MysqlDatabase) -> None:
    """Elsewhere a value that breaks out of its quotes stays within its one statement."""
    both = "SELECT 1; SELECT 2"
    for run in (database.read, database.write):
        with pytest.raises(Exception, match="1064"):
            await run(ask(both))


async def test_sessions_are_told_what_correctness_rests_on(database: MysqlDatabase) -> None:
    """Whatever the server's own defaults are."""
    told = (
        "SELECT CONCAT_WS(' ', @@tx_isolation, @@tx_read_only, @@time_zone, @@innodb_lock_wait_timeout, @@autocommit)"
    )
    assert await database.write(ask(told)) == "READ-COMMITTED OFF +00:00 2 OFF"
    assert await database.read(ask(told)) == "REPEATABLE-READ ON +00:00 2 OFF"

    def unit(connection: Connection) -> Closing[str]:
        [[[seen]]] = read_together(connection, [Statement(told)])
        return Closing([], lambda _ids: seen)

    assert await database.write_closing(unit) == "READ-COMMITTED OFF +00:00 2 OFF"
    assert "STRICT_ALL_TABLES" in await database.write(ask("SELECT @@sql_mode"))
    assert await database.write(ask("SELECT @@character_set_client")) == "utf8mb4"


async def test_updates_count_the_rows_they_find(database: MysqlDatabase) -> None:
    """Changed or not, as SQLite does."""
    count = await database.write(
        lambda connection: connection.exec_driver_sql("UPDATE thing SET value = 0 WHERE id IN (1, 2, 3)").rowcount
    )
    assert count == 2


async def test_a_server_that_forbids_writes_is_unavailable(own_server: MariadbServer, own_name: str) -> None:
    """Nothing is written; reads go on, and writes as soon as they may."""
    async with open_mysql(own_server.settings(own_name)) as database:
        own_server.administer("SET GLOBAL read_only = 1")
        try:
            for refused in (database.write(raise_value(1)), database.write_closing(insert)):
                with pytest.raises(StoreUnavailableError, match="1290"):
                    await refused
            assert await values(database) == [(1, 0), (2, 0)]
        finally:
            own_server.administer("SET GLOBAL read_only = 0")
        await database.write_closing(insert)


async def test_a_killed_server_is_found_again(own_server: MariadbServer, own_name: str) -> None:
    """While it is away units fail at once; once it is back none does, whatever pool they take, within 10 s."""
    async with open_mysql(own_server.settings(own_name)) as database:
        for run in (database.write(raise_value(1)), database.write_closing(insert), database.check()):
            await run
        own_server.engine.kill()
        started = time.monotonic()
        for refused in (database.write(raise_value(1)), database.write_closing(insert), database.check()):
            with pytest.raises(StoreUnavailableError):
                await refused
        assert time.monotonic() - started < 3
        await asyncio.to_thread(own_server.engine.start)
        started = time.monotonic()
        await database.check()
        await database.write(raise_value(1))
        with pytest.raises(Exception, match="1062"):
            await database.write_closing(insert)
        assert await values(database) == [(1, 2), (2, 0), (3, 0)]
        assert time.monotonic() - started < 10


async def test_a_server_restarted_behind_a_pool_is_not_noticed(own_server: MariadbServer, own_name: str) -> None:
    """The connections that died in the pool are replaced before a unit gets them."""
    async with open_mysql(own_server.settings(own_name, write_connections=4)) as database:
        await asyncio.gather(*(database.write(raise_value(1)) for _ in range(8)))
        await asyncio.to_thread(own_server.engine.restart)
        await asyncio.gather(*(database.write(raise_value(1)) for _ in range(8)))
        assert await values(database) == [(1, 16), (2, 0)]


async def test_a_frozen_server_is_noticed(own_server: MariadbServer, own_name: str) -> None:
    """Readiness says so within a second or so; a write fails by its deadline, its COMMIT with an unknown outcome."""
    async with open_mysql(own_server.settings(own_name, unit_timeout_s=1.5, connect_timeout_s=1)) as database:
        await database.check()
        await database.write(raise_value(1))

        def frozen_at_commit(connection: Connection) -> None:
            raise_value(2)(connection)
            own_server.engine.pause()

        try:
            with pytest.raises(OutcomeUnknownError):
                await database.write(frozen_at_commit)
            started = time.monotonic()
            with pytest.raises(StoreUnavailableError):
                await database.check()
            assert time.monotonic() - started < 1.5
            with pytest.raises(StoreUnavailableError):
                await database.write(raise_value(1))
        finally:
            own_server.engine.resume()
        await database.check()


@contextmanager
def on_a_small_disk(tmp_path: Path, *, body_bytes: int) -> Iterator[tuple[MariadbServer, str, Path]]:
    """A server with a disk of its own and a table `log` there: the server, the database, the disk as we see it."""
    if not may_mount():
        pytest.skip("only root may give the server a disk of its own; the contract suite has the server's refusal")
    disk = tmp_path / "disk"
    disk.mkdir()
    with start_mariadb(tmp_path / "server", within=small_disk(disk, mib=256)) as server:
        name = server.make_database()
        server.administer(f"CREATE TABLE {name}.log (id BIGINT PRIMARY KEY, body VARBINARY({body_bytes}) NOT NULL)")
        yield server, name, Path(f"/proc/{server.engine.pid}/root{disk}")


async def test_a_full_disk_is_told_and_recovers(tmp_path: Path) -> None:
    """Nothing of the transaction is there; it passes once there is room."""
    with on_a_small_disk(tmp_path, body_bytes=200) as (server, name, disk):
        filler = disk / "filler"
        async with open_mysql(server.settings(name)) as database:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - (6 << 20))

            async def append(first: int) -> bool:
                """Whether there was room for them."""
                some = Statement(f"INSERT INTO log SELECT {first} + seq, REPEAT('x', 200) FROM seq_0_to_63")
                try:
                    await database.write_closing(lambda _connection: Closing([some], lambda _ids: None))
                except StoreFullError:
                    return False
                return True

            stored = 0
            while await append(stored):
                stored += 64
            assert not await append(stored)
            assert await database.read(ask("SELECT COUNT(*) FROM log")) == stored
            filler.unlink()
            assert await append(stored)
            assert await database.read(ask("SELECT COUNT(*) FROM log")) == stored + 64


async def test_what_waits_for_space_is_told(tmp_path: Path) -> None:
    """No byte is left for the binlog: MariaDB holds the COMMIT for a minute. It may succeed yet; what comes next is refused."""
    with on_a_small_disk(tmp_path, body_bytes=4000) as (server, name, disk):
        server.administer(f"INSERT INTO {name}.log VALUES (1, REPEAT('a', 4000)), (2, REPEAT('a', 4000))")
        async with open_mysql(server.settings(name)) as database:

            async def change(key: int, letter: str) -> None:
                """Takes more than a page of the binlog, and none of the table."""
                change = Statement(f"UPDATE log SET body = REPEAT('{letter}', 4000) WHERE id = {key}")
                await database.write_closing(lambda _connection: Closing([change], lambda _ids: None))

            async def change_alone(key: int, letter: str) -> None:
                """The same by a write that is no append."""
                sql = f"UPDATE log SET body = REPEAT('{letter}', 4000) WHERE id = {key}"
                await database.write(lambda connection: connection.exec_driver_sql(sql))

            await asyncio.gather(change(1, "b"), change_alone(2, "b"))
            fill(disk / "filler")
            async with asyncio.timeout(10):
                held = await asyncio.gather(change(1, "c"), change_alone(2, "c"), return_exceptions=True)
                assert [type(one) for one in held] == [OutcomeUnknownError, OutcomeUnknownError]
                assert all("waits for space" in str(one) for one in held)
                for either in (change, change_alone):
                    with pytest.raises(StoreFullError):
                        await either(1, "d")
            await database.check()
        server.engine.kill()  # it would wait for the space to the end


async def test_closing_ends_what_was_begun(mariadb_server: MariadbServer, name: str) -> None:
    """A unit that waits when the database closes is still run."""
    async with open_mysql(mariadb_server.settings(name, write_connections=1)) as database:
        waiting = [asyncio.create_task(database.write(raise_value(1))) for _ in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    async with open_mysql(mariadb_server.settings(name)) as database:
        assert (await values(database))[0] == (1, 5)


async def test_a_server_that_is_away_is_told_at_once(mariadb_server: MariadbServer) -> None:
    settings = mariadb_server.settings("im", port=1)
    with pytest.raises(StoreUnavailableError, match="2003"):
        async with open_mysql(settings):
            pass
