"""The embedded member: durability read back, and connections that break."""

import asyncio
import gc
import sqlite3
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from im_infra.sql.errors import OutcomeUnknownError, StoreBusyError, StoreFullError, StoreUnavailableError
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase, open_sqlite
from im_infra.sql.statements import Closing, Statement


def disk_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "INJECTED"
    return error


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(tmp_path / "im.db", SqliteSettings()) as database:
        await database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE thing (id INTEGER)"))
        yield database


def put(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO thing VALUES (1)")


async def count(database: SqliteDatabase) -> int:
    return await database.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM thing").scalar_one())


def pragma(name: str) -> Callable[[Connection], object]:
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


async def test_durability_is_set(database: SqliteDatabase) -> None:
    assert await database.write(pragma("journal_mode")) == "wal"
    assert await database.write(pragma("synchronous")) == 2
    assert await database.read(pragma("query_only")) == 1


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "im.db"
    path.write_bytes(b"this is no database, it is a text " * 200)
    with pytest.raises(StoreUnavailableError, match="NOTADB"):
        async with open_sqlite(path, SqliteSettings()):
            pass
    assert path.read_bytes().startswith(b"this is no database")


async def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="CANTOPEN"):
        async with open_sqlite(tmp_path / "no folder" / "im.db", SqliteSettings()):
            pass


async def test_a_journal_that_is_not_what_was_asked_for_is_refused() -> None:
    """A database in memory silently stays without a write-ahead log, as files on some network disks do."""
    with pytest.raises(StoreUnavailableError, match="journal_mode"):
        async with open_sqlite(Path(":memory:"), SqliteSettings()):
            pass


@pytest.mark.parametrize("committed", [True, False])
async def test_a_disk_error_at_commit_leaves_the_outcome_open(database: SqliteDatabase, committed: Any) -> None:
    """Either may be true afterwards, and the next unit has a connection that works."""

    def breaks(connection: Connection) -> None:
        event.remove(database.writer_engine, "commit", breaks)
        if committed:
            connection.connection.driver_connection.commit()
        raise disk_error(sqlite3.SQLITE_IOERR | 4 << 8)

    event.listen(database.writer_engine, "commit", breaks)
    with pytest.raises(OutcomeUnknownError):
        await database.write(put)
    assert await count(database) == committed
    await database.write(put)
    assert await count(database) == committed + 1


@pytest.mark.parametrize(
    ("code", "error"), [(sqlite3.SQLITE_FULL, StoreFullError), (sqlite3.SQLITE_BUSY, StoreBusyError)]
)
async def test_a_full_disk_or_a_lock_at_commit_leaves_nothing(database: SqliteDatabase, code: Any, error: Any) -> None:
    """Nothing is committed, and the next unit passes."""

    def breaks(_connection: Connection) -> None:
        event.remove(database.writer_engine, "commit", breaks)
        raise disk_error(code)

    event.listen(database.writer_engine, "commit", breaks)
    with pytest.raises(error):
        await database.write(put)
    assert await count(database) == 0
    await database.write(put)
    assert await count(database) == 1


async def test_a_connection_that_broke_is_opened_again(database: SqliteDatabase) -> None:
    """A disk error in a statement: nothing is committed, the next unit passes."""

    def breaks(*_arguments: object) -> None:
        event.remove(database.writer_engine, "before_cursor_execute", breaks)
        raise disk_error(sqlite3.SQLITE_IOERR)

    before = await database.write(lambda connection: connection)
    event.listen(database.writer_engine, "before_cursor_execute", breaks)
    with pytest.raises(StoreUnavailableError):
        await database.write(put)
    assert await count(database) == 0
    assert await database.write(lambda connection: connection) is not before


async def test_a_check_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no reader is free the database counts as away."""
    monkeypatch.setattr("im_infra.sql.sqlite.CHECK_TIMEOUT_S", 0.05)

    begun, go_on = threading.Event(), threading.Event()

    def unit(_connection: Connection) -> None:
        begun.set()
        go_on.wait(5)

    async with open_sqlite(tmp_path / "im.db", SqliteSettings(reader_threads=1)) as database:
        blocked = asyncio.create_task(database.read(unit))
        await asyncio.to_thread(begun.wait, 5)
        with pytest.raises(StoreUnavailableError):
            await database.check()
        go_on.set()
        await blocked


async def test_closing_ends_what_was_begun(tmp_path: Path) -> None:
    """A unit that waits when the database closes is still run."""
    path = tmp_path / "im.db"
    async with open_sqlite(path, SqliteSettings()) as database:
        await database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE thing (id INTEGER)"))
        waiting = [asyncio.create_task(database.write(put)) for _ in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    async with open_sqlite(path, SqliteSettings()) as database:
        assert await count(database) == 5


async def test_a_closing_unit_goes_before_those_that_wait(database: SqliteDatabase) -> None:
    """People wait for a message's commit, and nobody for a cursor's."""
    entered, opened = threading.Event(), threading.Event()
    order: list[str] = []

    def hold(_connection: Connection) -> None:
        entered.set()
        assert opened.wait(10), "nobody let it go on"

    def cursors(_connection: Connection) -> None:
        order.append("cursors")

    def append(_connection: Connection) -> Closing[None]:
        order.append("append")
        return Closing([Statement("INSERT INTO thing VALUES (1)")], lambda _ids: None)

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(entered.wait, 10)
    waiting = [asyncio.create_task(database.write(cursors)) for _ in range(3)]
    await asyncio.sleep(0)
    appending = asyncio.create_task(database.write_closing(append))
    await asyncio.sleep(0)
    opened.set()
    await asyncio.gather(holding, appending, *waiting)
    assert order == ["append", "cursors", "cursors", "cursors"]
    assert await count(database) == 1


@pytest.mark.parametrize("way", ["write", "write_closing", "read"])
async def test_the_error_of_a_unit_goes_with_its_last_holder(tmp_path: Path, way: str) -> None:
    """The services keep the collector from looking for cycles: one for every refused request would stay for ever."""
    # With a second reader the next read could be served while the first still lets go of the error.
    one_reader = SqliteSettings(reader_threads=1)

    class RefusedError(Exception):
        pass

    def refuse(_connection: Connection) -> Any:
        raise RefusedError

    async def refused(database: SqliteDatabase) -> weakref.ref[RefusedError]:
        try:
            await getattr(database, way)(refuse)
        except RefusedError as error:
            return weakref.ref(error)
        pytest.fail("it was taken")

    gc.disable()
    try:
        async with open_sqlite(tmp_path / "im.db", one_reader) as database:
            left = await refused(database)
            await database.write(do_nothing)
            await database.read(do_nothing)
            assert left() is None
    finally:
        gc.enable()


def do_nothing(_connection: Connection) -> None:
    """A unit that does nothing."""
