"""A message path over a real repo."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from im_infra.sql.sqlite import SqliteDatabase, SqliteSettings, open_sqlite
from im_repo.schema import METADATA
from tests.logic_support.message_cluster import MessageCluster, message_cluster


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema, made once and copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "empty.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
async def database(tmp_path: Path, empty_database: Path) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "im.sqlite3"
    shutil.copy(empty_database, path)
    async with open_sqlite(path, SqliteSettings(reader_threads=1)) as opened:
        yield opened


@pytest.fixture
async def cluster(database: SqliteDatabase) -> AsyncIterator[MessageCluster]:
    async with message_cluster(database) as running:
        yield running
