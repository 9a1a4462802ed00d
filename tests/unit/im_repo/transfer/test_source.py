"""What is sent, and how it is known again."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from im_infra.discovery.tables import WORKER_LEASE
from im_infra.sql.abstract import Database
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_repo.migrations.upgrade import SchemaError
from im_repo.schema import CLOCK, MESSAGE
from im_repo.transfer.source import Source

DAY_MS = 86_400_000


async def write(database: Database, statement: Any) -> None:
    await database.write(lambda connection: connection.execute(statement))


async def test_a_file_of_another_revision_is_refused(tmp_path: Any) -> None:
    async with open_sqlite(tmp_path / "other.sqlite3", SqliteSettings()) as database:
        with pytest.raises(SchemaError, match="im migrate"):
            await Source.open(database)


async def test_it_is_known_again_until_a_process_ran_on_it(source_database: Database) -> None:
    first = await Source.open(source_database)
    assert (await Source.open(source_database)).fingerprint == first.fingerprint
    await write(source_database, update(WORKER_LEASE).values(high_time=WORKER_LEASE.c.high_time + 1))
    second = await Source.open(source_database)
    assert second.fingerprint != first.fingerprint
    await write(source_database, update(CLOCK).values(high_time=CLOCK.c.high_time + 1))
    assert (await Source.open(source_database)).fingerprint != second.fingerprint


async def test_the_floor_lies_above_every_id_but_those_of_a_clock_that_was_wrong(source_database: Database) -> None:
    async def floor(*statements: Any) -> tuple[int, int]:
        for statement in statements:
            await write(source_database, statement)
        source = await Source.open(source_database)
        ((_, high_time, _, id_floor_time),) = await source.read(CLOCK, None, limit=2)
        return id_floor_time, high_time

    _, now = await floor(delete(WORKER_LEASE))
    made_at = now + 5_000
    of_now = update(MESSAGE).where(MESSAGE.c.seq == 3).values(message_id=(made_at - 1_735_689_600_000) << 22)
    assert await floor(of_now) == (made_at, now)
    assert await floor(update(CLOCK).values(id_floor_time=now + 9_000)) == (now + 9_000, now)
    wrong = update(CLOCK).values(id_floor_time=now + DAY_MS + 1)
    assert await floor(wrong) == (made_at, now)
