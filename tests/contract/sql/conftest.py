"""Every member of the family `sql`, empty, with a way to lock it from outside, to fill it up and to hold a unit up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.util import await_

from im_cli.engines.mariadb import MariadbTls
from im_infra.sql.abstract import Database
from im_infra.sql.mysql import open_mysql
from im_infra.sql.settings import MysqlTlsSettings, SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_infra.sql.types import BIG_INT, BLOB
from tests.support.certificates import make_authority, make_certificate
from tests.support.mariadb import MariadbServer, start_mariadb

THING = Table(
    "thing",
    MetaData(),
    Column("id", BIG_INT, primary_key=True, autoincrement=False),
    Column("body", BLOB, nullable=False),
)


@dataclass
class Gate:
    """Holds a unit up where it stands, without holding up the loop."""

    begun: asyncio.Event
    go_on: asyncio.Event
    wait: Callable[["Gate"], None]

    def pause(self) -> None:
        """Called by the unit: tell that it is here, and wait until it may go on."""
        self.wait(self)


@dataclass
class Member:
    """A member under test."""

    database: Database
    thing: Table
    lock: Callable[[], AbstractContextManager[None]]
    """Hold the lock that every write of `thing` needs, from another connection."""
    fill: Callable[[], Awaitable[object]]
    """Leave hardly any room; a fresh transaction of little bytes still fits."""
    empty: Callable[[], Awaitable[object]]
    """Make room again."""
    gate: Callable[[], Gate]


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MariadbServer, MysqlTlsSettings]]:
    """A MariaDB that speaks nothing but TLS, and how the product trusts it."""
    folder = tmp_path_factory.mktemp("mariadb-tls")
    authority = make_authority(folder)
    made = make_certificate(folder, authority)
    with start_mariadb(folder, tls=MariadbTls(made.certificate, made.key)) as server:
        yield server, MysqlTlsSettings(enabled=True, ca=authority.certificate)


@pytest.fixture(params=["sqlite", "mariadb", "mariadb over TLS"])
async def member(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Member]:
    async with AsyncExitStack() as stack:
        match request.param:
            case "sqlite":
                yield await stack.enter_async_context(_sqlite(tmp_path / "im.sqlite3"))
            case "mariadb":
                server, name = request.getfixturevalue("mariadb_server"), request.getfixturevalue("mariadb_database")
                yield await stack.enter_async_context(_mariadb(server, name))
            case _:
                server, tls = request.getfixturevalue("tls_server")
                name = server.make_database()
                stack.callback(server.drop_database, name)
                yield await stack.enter_async_context(_mariadb(server, name, tls=tls))


@asynccontextmanager
async def _sqlite(path: Path) -> AsyncIterator[Member]:
    @contextmanager
    def lock() -> Iterator[None]:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    def gate() -> Gate:
        loop = asyncio.get_running_loop()

        def wait(one: Gate) -> None:
            loop.call_soon_threadsafe(one.begun.set)
            asyncio.run_coroutine_threadsafe(one.go_on.wait(), loop).result(5)

        return Gate(asyncio.Event(), asyncio.Event(), wait)

    def pages(most: int) -> Callable[[Connection], object]:
        return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    async with open_sqlite(path, SqliteSettings(busy_timeout_ms=50)) as database:
        await database.write(THING.metadata.create_all)
        yield Member(
            database,
            THING,
            lock,
            fill=lambda: database.write(pages(8)),
            empty=lambda: database.write(pages(100_000)),
            gate=gate,
        )


@asynccontextmanager
async def _mariadb(server: MariadbServer, name: str, **settings: Any) -> AsyncIterator[Member]:
    @contextmanager
    def lock() -> Iterator[None]:
        with server.transaction(name, "SELECT * FROM thing FOR UPDATE", "INSERT INTO thing VALUES (1, '')"):
            yield

    def gate() -> Gate:
        def wait(one: Gate) -> None:
            one.begun.set()
            await_(asyncio.wait_for(one.go_on.wait(), 5))

        return Gate(asyncio.Event(), asyncio.Event(), wait)

    # What InnoDB says when its files cannot grow (1114), for rows that would need them to. The real thing, a disk that
    # is full, is in test_mysql.py.
    full = (
        f"CREATE TRIGGER {name}.full BEFORE INSERT ON {name}.thing FOR EACH ROW IF LENGTH(NEW.body) > 50000 THEN "
        "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'; END IF"
    )
    async with open_mysql(server.settings(name, lock_wait_timeout_s=1, **settings)) as database:
        await database.write(THING.metadata.create_all)
        yield Member(
            database,
            THING,
            lock,
            fill=lambda: asyncio.to_thread(server.administer, full),
            empty=lambda: asyncio.to_thread(server.administer, f"DROP TRIGGER {name}.full"),
            gate=gate,
        )
