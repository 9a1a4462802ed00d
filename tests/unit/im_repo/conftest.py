"""A SQLite file with the whole schema, for units that are plain functions over a connection."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event

from im_repo.schema import METADATA


def open_engine(path: Path) -> Engine:
    """An engine whose transactions begin as the product's writers do: BEGIN IMMEDIATE."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(driver_connection: object, _record: object) -> None:
        driver_connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = driver_connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema, made once and copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    engine = open_engine(path)
    METADATA.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(tmp_path: Path, empty_database: Path) -> Iterator[Engine]:
    """A database of the test's own; open two connections of it where units meet each other."""
    path = tmp_path / "im.db"
    shutil.copy(empty_database, path)
    engine = open_engine(path)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One write transaction that lasts for the test."""
    with engine.begin() as connection:
        yield connection
