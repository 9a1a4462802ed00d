"""What the tests of the infrastructure share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from im_infra.bus.tables import BUS_RECORD
from im_infra.clock import ManualClock
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase, open_sqlite


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    async with open_sqlite(tmp_path / "infra.sqlite3", SqliteSettings(reader_threads=1)) as opened:
        await opened.write(
            lambda connection: BUS_RECORD.metadata.create_all(connection, tables=[BUS_RECORD, WORKER_LEASE])
        )
        yield opened
