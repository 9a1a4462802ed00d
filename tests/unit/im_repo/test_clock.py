"""The database's time, written down."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from im_infra.sql.errors import StoreBusyError
from im_infra.sql.sqlite import SqliteDatabase
from im_repo.clock import keep_clock, next_reading, start_generation, tick
from im_repo.schema import CLOCK


@pytest.mark.parametrize(
    ("now", "high", "expected"),
    [
        (105, 100, (105, 3)),
        (100_000, 100_500, (100_500, 3)),
        (70_000, 100_000, (100_000, 3)),
        (69_999, 100_000, (69_999, 4)),
    ],
)
def test_only_a_long_step_back_is_another_generation(now: Any, high: Any, expected: Any) -> None:
    assert next_reading(now, high_time=high, generation=3) == expected


def test_the_first_tick_makes_the_row(connection: Connection) -> None:
    assert tick(connection) == 1
    assert tick(connection) == 1
    assert connection.scalar(select(CLOCK.c.high_time)) > 1_600_000_000_000


def test_a_clock_that_went_back_is_noticed(connection: Connection) -> None:
    tick(connection)
    connection.execute(update(CLOCK).values(high_time=1 << 60))
    assert tick(connection) == 2
    assert tick(connection) == 2


def test_a_restore_starts_a_generation(connection: Connection) -> None:
    start_generation(connection)
    assert tick(connection) == 2


async def test_it_goes_on_after_a_failure(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    write, failed = database.write, asyncio.Event()

    async def busy_once(unit: Any) -> Any:
        if not failed.is_set():
            failed.set()
            raise StoreBusyError
        return await write(unit)

    monkeypatch.setattr(database, "write", busy_once)
    keeping = asyncio.create_task(keep_clock(database, interval_s=0.001))
    async with asyncio.timeout(5):
        while not await database.read(lambda connection: connection.scalar(select(CLOCK.c.generation))):
            await asyncio.sleep(0.001)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
