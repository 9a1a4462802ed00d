"""Every member of the family `sql`, empty, with a way to lock it from outside and to fill it up."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, MetaData, Table

from im_infra.sql.abstract import Database
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_infra.sql.types import BIG_INT, BLOB

THING = Table("thing", MetaData(), Column("id", BIG_INT, primary_key=True), Column("body", BLOB, nullable=False))


@dataclass
class Member:
    """A member under test."""

    database: Database
    thing: Table
    lock: Callable[[], AbstractContextManager[None]]
    """Hold the lock that every write needs, from another connection."""
    fill: Callable[[Connection], object]
    """A unit that leaves hardly any room; a fresh transaction of little bytes still fits."""
    empty: Callable[[Connection], object]
    """A unit that makes room again."""


@pytest.fixture(params=["sqlite"])
async def member(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Member]:
    path = tmp_path / "im.sqlite3"

    @contextmanager
    def lock() -> Iterator[None]:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    async with open_sqlite(path, SqliteSettings(busy_timeout_ms=50)) as database:
        await database.write(THING.metadata.create_all)
        yield Member(
            database,
            THING,
            lock,
            fill=lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 8"),
            empty=lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 100000"),
        )
