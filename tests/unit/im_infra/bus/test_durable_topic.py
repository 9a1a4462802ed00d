import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from im_infra import error_table
from im_infra.bus import record_row
from im_infra.bus.abstract import Record
from im_infra.bus.durable_topic import DurableTopic
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Unit
from im_infra.sql.sqlite import SqliteDatabase


class Gated(Protocol):
    begun: asyncio.Event
    open: asyncio.Event

    async def __call__(self, records: Sequence[Record]) -> None: ...

    async def until(self, *effects: bytes) -> None: ...


@pytest.fixture
def topic(database: SqliteDatabase, clock: ManualClock) -> DurableTopic:
    settings = BusSettings(first_backoff_ms=1, poll_interval_ms=20)
    counts = TopicCounts(Metrics(), "t")
    return DurableTopic("t", database=database, clock=clock, settings=settings, counts=counts)


async def store(database: SqliteDatabase, clock: ManualClock, *values: bytes) -> None:
    records = [Record("t", b"k", value) for value in values]
    await database.write(lambda connection: record_row.store(connection, records, clock.now_ms()))


async def left(database: SqliteDatabase) -> list[tuple[bytes, int]]:
    found = await database.read(lambda connection: record_row.due(connection, "t", 100))
    return [(record.value, record.attempts) for record in found]


async def test_woken_it_reads_at_once(
    topic: DurableTopic, database: SqliteDatabase, clock: ManualClock, gate: Gated
) -> None:
    topic.wake()  # nobody consumes yet
    gate.open.set()
    async with topic.consume(gate, 10):
        await store(database, clock, b"1")
        topic.wake()
        await gate.until(b"1")


async def test_what_nobody_announced_is_found_by_polling(
    topic: DurableTopic, database: SqliteDatabase, clock: ManualClock, gate: Gated
) -> None:
    gate.open.set()
    async with topic.consume(gate, 10):
        await store(database, clock, b"1")
        await gate.until(b"1")


async def test_a_record_stays_until_its_effect_and_its_tries_are_written_down(
    topic: DurableTopic, database: SqliteDatabase, clock: ManualClock, gate: Gated
) -> None:
    await store(database, clock, b"1")
    async with asyncio.timeout(5), topic.consume(gate, 10):
        await gate.begun.wait()
        assert await left(database) == [(b"1", 1)]
        gate.open.set()
        await gate.until(b"1")
    assert await left(database) == []


async def test_closing_during_a_wait_leaves_the_record_for_the_next(
    database: SqliteDatabase, clock: ManualClock
) -> None:
    settings = BusSettings(first_backoff_ms=60_000)
    topic = DurableTopic("t", database=database, clock=clock, settings=settings, counts=TopicCounts(Metrics(), "t"))
    failed = asyncio.Event()

    async def fails(_records: Sequence[Record]) -> None:
        failed.set()
        raise ValueError("broken")

    await store(database, clock, b"1")
    async with asyncio.timeout(5):
        async with topic.consume(fails, 10):
            await failed.wait()
    assert await left(database) == [(b"1", 1)]


async def test_it_outlives_a_store_that_was_away(
    topic: DurableTopic,
    database: SqliteDatabase,
    clock: ManualClock,
    gate: Gated,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, reads = database.read, 0

    async def flaky(unit: Unit[Any]) -> Any:
        nonlocal reads
        reads += 1
        if reads <= 2:
            raise ImError(error_table.STORAGE_BUSY, "locked")
        return await read(unit)

    monkeypatch.setattr(database, "read", flaky)
    gate.open.set()
    await store(database, clock, b"1")
    async with topic.consume(gate, 10):
        await gate.until(b"1")


async def test_order_survives_a_clock_that_goes_back(
    topic: DurableTopic, database: SqliteDatabase, clock: ManualClock, gate: Gated
) -> None:
    await store(database, clock, b"1")
    clock.jump(-3_600_000)
    await store(database, clock, b"2")
    gate.open.set()
    async with topic.consume(gate, 10):
        await gate.until(b"1", b"2")
