"""Any database: what is proved of repo's units is proved on SQLite and on MariaDB alike.

Units are plain functions over a synchronous connection, so most tests call them on one: SQLite's own driver, or PyMySQL
with sessions as the product's writers have them. What lies above the units gets the product's own `Database`.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pymysql
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.util import await_

from im_infra.sql.abstract import Database
from im_infra.sql.mysql import open_mysql
from im_infra.sql.mysql_connections import Purpose, session_statements
from im_infra.sql.settings import MysqlSettings, SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_repo.schema import METADATA
from tests.support.mariadb import MariadbServer


class AnyDatabase(Protocol):
    """A database of one test's own, with the whole schema and nothing in it."""

    @property
    def name(self) -> str:
        """`sqlite` or `mariadb`."""
        ...

    @property
    def engine(self) -> Engine:
        """Gives connections for units; open two where units meet each other."""
        ...

    def open(self, **settings: Any) -> AbstractAsyncContextManager[Database]:
        """The product's own member, with changes to its settings."""
        ...

    def examples(self, count: int) -> int:
        """How many examples of a property to try where a file gets `count`."""
        ...

    def pause(self, seconds: float) -> None:
        """Called by a unit of the product's member: take so long, without holding up the loop."""
        ...


@dataclass(frozen=True)
class SqliteFile:
    """A copy of an empty file."""

    path: Path
    engine: Engine
    name: str = "sqlite"

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[Database]:
        async with open_sqlite(self.path, SqliteSettings(**settings)) as database:
            yield database

    def examples(self, count: int) -> int:
        return count

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # in a thread of its own


@dataclass(frozen=True)
class MariadbSchema:
    """A database of a real server; emptied after each test, since making its tables takes longer than most tests."""

    server: MariadbServer
    database: str
    engine: Engine
    name: str = "mariadb"

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[Database]:
        async with open_mysql(self.server.settings(self.database, **settings)) as database:
            yield database

    def examples(self, count: int) -> int:
        return count // 4  # each statement is a round trip to the server

    def pause(self, seconds: float) -> None:
        await_(asyncio.sleep(seconds))

    def empty(self) -> None:
        """Delete every row."""
        with self.engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())


def sqlite_engine(path: Path) -> Engine:
    """An engine whose transactions begin as the product's writers do: BEGIN IMMEDIATE."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(driver_connection: Any, _record: object) -> None:
        driver_connection.isolation_level = None
        cursor = driver_connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def mysql_engine(settings: MysqlSettings) -> Engine:
    """An engine whose sessions are told what the product's writers are told."""
    password = settings.password.get_secret_value()
    url = URL.create(
        "mysql+pymysql",
        settings.user,
        password,
        settings.host,
        settings.port,
        settings.database,
        {"charset": "utf8mb4"},
    )
    # The paramstyle is that of the product's driver; tests may kill connections, these among them.
    engine = create_engine(url, paramstyle="format", pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def configure(driver_connection: "pymysql.Connection[Any]", _record: object) -> None:
        with driver_connection.cursor() as cursor:
            for statement in session_statements(settings, Purpose.WRITE):
                cursor.execute(statement)

    return engine


@contextmanager
def sqlite_copy(template: Path, path: Path) -> Iterator[SqliteFile]:
    """A database file of its own while the context is open."""
    shutil.copy(template, path)
    engine = sqlite_engine(path)
    yield SqliteFile(path, engine)
    engine.dispose()


def make_sqlite_template(folder: Path) -> Path:
    """An empty file with the schema, to copy."""
    path = folder / "empty.db"
    engine = sqlite_engine(path)
    METADATA.create_all(engine)
    engine.dispose()
    return path


@contextmanager
def mariadb_schema(server: MariadbServer) -> Iterator[MariadbSchema]:
    """A database with the schema while the context is open."""
    database = server.make_database()
    engine = mysql_engine(server.settings(database))
    METADATA.create_all(engine)
    yield MariadbSchema(server, database, engine)
    engine.dispose()
    server.drop_database(database)
