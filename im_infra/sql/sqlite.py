"""The embedded member: SQLite behind one writing thread and a few reading ones.

SQLite has one writer at a time, so there is one writing thread with one connection, and a transaction costs one hop to
it and back. Readers see the last committed snapshot (WAL) and never wait for the writer.

Python's sqlite3 would open transactions by itself, deferred, and a deferred one fails when another writer came between
its first read and its first write. So the driver is left in autocommit and each transaction begins by an explicit
BEGIN IMMEDIATE (writer) or BEGIN (readers).
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from im_infra.sql.abstract import Unit
from im_infra.sql.at_once import WriteAtOnce
from im_infra.sql.errors import StoreUnavailableError
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite_checkpointer import SqliteCheckpointer
from im_infra.sql.sqlite_errors import is_broken, translate
from im_infra.sql.sqlite_shortcut import SqliteShortcut
from im_infra.sql.sqlite_writer_thread import SqliteWriterThread
from im_infra.sql.statements import SHORTCUT, Closing, Statement, close

T = TypeVar("T")

CHECK_TIMEOUT_S: Final = 1.0
_BEGIN_WRITER: Final = Statement("BEGIN IMMEDIATE")
_BEGIN_READER: Final = Statement("BEGIN")


class SqliteDatabase:
    """A database file, as `abstract.Database` promises. Made by `open_sqlite`.

    Args:
        path: the file; made if absent.
        settings: threads, waits and sizes.
    """

    def __init__(self, path: Path, settings: SqliteSettings) -> None:
        self.path = path
        self.writer_engine = _engine(path, settings, begin=_BEGIN_WRITER, writes=True)
        self.reader_engine = _engine(path, settings, begin=_BEGIN_READER, writes=False)
        self._writer = _Connections(self.writer_engine)
        self._readers = _Connections(self.reader_engine)
        # Unbounded by themselves; who submits is bounded: the append queue, stream credit, the gRPC server's limit.
        self._writer_thread = SqliteWriterThread()
        self.checkpointer = SqliteCheckpointer(path)
        self._reader_threads = ThreadPoolExecutor(settings.reader_threads, thread_name_prefix="sqlite-reader")

    @property
    def dialect(self) -> str:
        """`sqlite`."""
        return "sqlite"

    async def write(self, unit: Unit[T]) -> T:
        """See `abstract.Database.write`; units run one after the other, in the order of the calls."""
        return await self._writer_thread.run(lambda: self._transact(unit))

    @property
    def closing_lanes(self) -> int:
        """One, as there is one writer."""
        return 1

    async def write_closing(self, unit: Unit[Closing[T]]) -> T:
        """See `abstract.Database.write_closing`; such a unit goes before those of `write` that wait."""
        return await self._writer_thread.run(
            lambda: self._transact(lambda connection: close(connection, unit(connection))), urgent=True
        )

    @property
    def write_at_once(self) -> WriteAtOnce | None:
        """None: there is no round trip to be saved."""
        return None

    async def read(self, unit: Unit[T]) -> T:
        """See `abstract.Database.read`; a unit sees one snapshot."""
        # Shielded: a cancelled caller goes on at once, and the unit ends by itself, its connection in step. No name is
        # given to the future: an error of the unit would hold this frame, and this frame the error.
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._reader_threads, lambda: self._readers.transact(unit))
        )

    async def check(self) -> None:
        """See `abstract.Database.check`."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
        except TimeoutError as error:
            raise StoreUnavailableError(f"the database did not answer within {CHECK_TIMEOUT_S:g} s") from error

    async def open(self) -> None:
        """Open the file and read back what durability rests on.

        Raises:
            StoreUnavailableError: it cannot be opened, is no database, or does not take WAL and synchronous=FULL.
        """
        await self._writer_thread.run(self._writer.open)

    async def close(self) -> None:
        """Close all connections, after the units under way and waiting; the last one to close empties the WAL."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._reader_threads.shutdown)
        await loop.run_in_executor(None, self._writer_thread.shut_down)
        await loop.run_in_executor(None, self.checkpointer.shut_down)  # no unit starts another round by now
        self._readers.close()
        self.checkpointer.close()
        self._writer.close()

    def _transact(self, unit: Unit[T]) -> T:
        result = self._writer.transact(unit)
        self.checkpointer.committed()
        return result


@asynccontextmanager
async def open_sqlite(path: Path, settings: SqliteSettings) -> AsyncIterator[SqliteDatabase]:
    """A database file while the context is open.

    Raises:
        StoreUnavailableError: it cannot be opened, is no database, or does not take WAL and synchronous=FULL.
    """
    database = SqliteDatabase(path, settings)
    try:
        await database.open()
        yield database
    finally:
        await database.close()


class _Connections:
    """One connection for each thread that asks, opened when it first does and again after it broke."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = threading.local()
        self._all: set[Connection] = set()

    def open(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is not None:
            return connection
        try:
            connection = self._engine.connect()
        except Exception as error:
            raise translate(error) or error from error
        self._all.add(connection)
        self._own.connection = connection
        return connection

    def transact(self, unit: Unit[T]) -> T:
        """Run `unit` between BEGIN and COMMIT; a connection that broke is dropped and opened anew by the next unit."""
        connection = self.open()
        committing = False
        try:
            with connection.begin() as transaction:
                result = unit(connection)
                committing = True
                transaction.commit()
        except Exception as error:
            translated = translate(error, committing=committing)
            if translated is None:
                raise
            if is_broken(translated) or connection.invalidated or (committing and not _rolled_back(connection)):
                self._drop(connection)
            if translated is error:
                raise
            raise translated from error
        else:
            return result

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._engine.dispose()

    def _drop(self, connection: Connection) -> None:
        self._all.discard(connection)
        self._own.connection = None
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()  # it could not even close: forget it


def _rolled_back(connection: Connection) -> bool:
    """Undo a transaction whose COMMIT failed, as it does on a full disk; whether the connection is as new after it.

    SQLAlchemy keeps such a transaction until it is rolled back, without passing that on, and SQLite may have kept its
    own: without both the next BEGIN fails, and so does every one after it.
    """
    try:
        connection.rollback()
        driver_connection = connection.connection.dbapi_connection
        if driver_connection is not None:
            driver_connection.rollback()
    except (DBAPIError, sqlite3.Error):
        return False
    return True


def _engine(path: Path, settings: SqliteSettings, *, begin: Statement, writes: bool) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=NullPool,  # each thread keeps its one connection
        connect_args={
            "check_same_thread": False,  # closed by another thread than the one that used it
            "timeout": settings.busy_timeout_ms / 1000,
            "isolation_level": None,  # the driver begins nothing by itself
            "cached_statements": 256,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own
        entry.info[SHORTCUT] = SqliteShortcut(dbapi_connection)
        try:
            _set_pragmas(dbapi_connection, settings, writes=writes)
        except BaseException:
            dbapi_connection.close()
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.info[SHORTCUT].execute(begin)

    return engine


def _set_pragmas(connection: Any, settings: SqliteSettings, *, writes: bool) -> None:  # noqa: ANN401 - untyped driver
    """Set what durability and speed rest on, and read back the former: SQLite takes a pragma it cannot do in silence.

    Raises:
        StoreUnavailableError: journal_mode or synchronous is not what was asked for.
        sqlite3.Error: the file cannot be opened or is no database.
    """
    wanted = {"journal_mode": "wal", "synchronous": 2} if writes else {"query_only": 1}
    others = {
        "cache_size": -settings.cache_kib if writes else -settings.cache_kib // 4,
        "temp_store": "MEMORY",
        "wal_autocheckpoint": settings.checkpoint_pages,
        "journal_size_limit": settings.checkpoint_pages * 4096,
    }
    for name, value in {**wanted, **others}.items():
        _pragma(connection, f"PRAGMA {name} = {value}")
    found = {name: _pragma(connection, f"PRAGMA {name}") for name in wanted}
    if found != wanted:
        raise StoreUnavailableError(f"the database file does not take {wanted}, but {found}: is it on a network disk?")


def _pragma(connection: sqlite3.Connection, sql: str) -> object:
    cursor = connection.execute(sql)
    try:
        row = cursor.fetchone()
    finally:
        cursor.close()
    return row[0] if row else None
