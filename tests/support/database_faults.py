"""What can go wrong with a database's engine, made to happen, alike on each."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Protocol

import pytest
from sqlalchemy import Connection

from im_infra.sql.abstract import Database
from im_infra.sql.mysql_packets import Packets
from im_infra.sql.sqlite_shortcut import SqliteShortcut
from im_infra.sql.statements import Statement
from tests.support.databases import AnyDatabase, MariadbSchema, SqliteFile


class Faults(Protocol):
    """What can go wrong with an engine."""

    patience: dict[str, int]
    """Settings under which a lock that stays is noticed soon."""

    def failing(self, at: int) -> AbstractContextManager[list[str]]:
        """The statement of that number fails as on a full disk; gives the statements there were."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Somebody else holds the conversations' locks."""
        ...

    def full(self, database: Database) -> Any:
        """An async context in which there is no room for a large body."""
        ...

    def read_only(self, database: Database) -> Any:
        """An async context in which the engine refuses every write."""
        ...


class SqliteFaults:
    def __init__(self, file: SqliteFile, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = file
        self._monkeypatch = monkeypatch
        self.patience = {"busy_timeout_ms": 50}

    @contextmanager
    def failing(self, at: int) -> Iterator[list[str]]:
        seen: list[str] = []
        execute = SqliteShortcut.execute

        def fails(shortcut: SqliteShortcut, statement: Statement) -> Any:
            if statement.sql == "BEGIN":  # a reader's
                return execute(shortcut, statement)
            seen.append(statement.sql)
            if len(seen) - 1 == at:
                raise disk_error(sqlite3.SQLITE_FULL)
            return execute(shortcut, statement)

        with self._monkeypatch.context() as patch:
            patch.setattr(SqliteShortcut, "execute", fails)
            yield seen

    @contextmanager
    def locked(self) -> Iterator[None]:
        other = sqlite3.connect(self._file.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()

    @asynccontextmanager
    async def full(self, database: Database) -> AsyncIterator[None]:
        pages = await database.write(pragma("page_count"))
        await database.write(pragma(f"max_page_count = {pages}"))
        yield
        await database.write(pragma("max_page_count = 1000000"))

    @asynccontextmanager
    async def read_only(self, database: Database) -> AsyncIterator[None]:
        await database.write(pragma("query_only = 1"))
        yield
        await database.read(pragma("query_only"))  # the writer's connection broke by this, and the next one may write


class MariadbFaults:
    def __init__(self, schema: MariadbSchema, monkeypatch: pytest.MonkeyPatch) -> None:
        self._schema = schema
        self._monkeypatch = monkeypatch
        self.patience = {"lock_wait_timeout_s": 1}

    @contextmanager
    def failing(self, at: int) -> Iterator[list[str]]:
        seen: list[str] = []
        bound = Packets._bound

        def fails(packets: Packets, statement: Statement) -> str:
            seen.append(statement.sql)
            if len(seen) - 1 == at:
                return "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'injected'"
            return bound(packets, statement)

        with self._monkeypatch.context() as patch:
            patch.setattr(Packets, "_bound", fails)
            yield seen

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._schema.server.transaction(self._schema.database, "SELECT * FROM conversation FOR UPDATE"):
            yield

    @asynccontextmanager
    async def full(self, _database: Database) -> AsyncIterator[None]:
        name = self._schema.database
        administer = partial(asyncio.to_thread, self._schema.server.administer)
        await administer(
            f"CREATE TRIGGER {name}.full BEFORE INSERT ON {name}.message FOR EACH ROW IF LENGTH(NEW.body) > 10000 THEN "
            "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'; END IF"
        )
        yield
        await administer(f"DROP TRIGGER {name}.full")

    @asynccontextmanager
    async def read_only(self, _database: Database) -> AsyncIterator[None]:
        administer = partial(asyncio.to_thread, self._schema.server.administer)
        await administer("SET GLOBAL read_only = 1")
        try:
            yield
        finally:
            await administer("SET GLOBAL read_only = 0")


def faults_of(database: AnyDatabase, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """The faults of a database's engine."""
    if isinstance(database, SqliteFile):
        return SqliteFaults(database, monkeypatch)
    assert isinstance(database, MariadbSchema)
    return MariadbFaults(database, monkeypatch)


def pragma(name: str) -> Callable[[Connection], Any]:
    def run(connection: Connection) -> Any:
        result = connection.exec_driver_sql(f"PRAGMA {name}")
        return result.scalar() if result.returns_rows else None

    return run


def disk_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    return error
