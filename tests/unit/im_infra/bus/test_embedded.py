import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC, Record
from im_infra.bus.embedded import MAX_RECORD_BYTES, EmbeddedBus
from im_infra.bus.settings import BusSettings
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Unit
from im_infra.sql.sqlite import SqliteDatabase


@pytest.fixture
async def bus(database: SqliteDatabase, clock: ManualClock) -> AsyncIterator[EmbeddedBus]:
    settings = BusSettings(first_backoff_ms=2, poll_interval_ms=20)
    opened = EmbeddedBus(database, clock, settings=settings)
    yield opened
    await opened.close()


class Gate:
    """A handler that waits to be let through."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.effects: list[bytes] = []

    async def __call__(self, records: Sequence[Record]) -> None:
        self.begun.set()
        await self.open.wait()
        self.effects.extend(record.value for record in records)


async def ignore(_records: Sequence[Record]) -> None:
    return


async def test_publishing_to_fanout_returns_after_the_effect(bus: EmbeddedBus) -> None:
    gate = Gate()
    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=gate):
        publishing = spawn(bus.publish(FANOUT_TOPIC, key=b"k", value=b"1"), name="test")
        await gate.begun.wait()
        assert not publishing.done()
        gate.open.set()
        await publishing
        assert gate.effects == [b"1"]


async def test_fanout_without_a_consumer_is_unavailable(bus: EmbeddedBus) -> None:
    with pytest.raises(ImError) as caught:
        await bus.publish(FANOUT_TOPIC, key=b"k", value=b"1")
    assert caught.value.reason is error_table.UNAVAILABLE


async def test_fanout_that_waits_when_its_consumer_closes_is_unavailable(bus: EmbeddedBus) -> None:
    gate = Gate()
    async with asyncio.timeout(5):
        async with bus.consume(FANOUT_TOPIC, group="task", handler=gate, max_records=1):
            publishing = [
                spawn(bus.publish(FANOUT_TOPIC, key=b"k", value=b"%d" % number), name="test") for number in range(3)
            ]
            await gate.begun.wait()
            asyncio.get_running_loop().call_later(0.01, gate.open.set)
        first, *others = await asyncio.gather(*publishing, return_exceptions=True)
    assert first is None
    assert [error.reason for error in others if isinstance(error, ImError)] == [error_table.UNAVAILABLE] * 2


async def test_a_full_fanout_buffer_is_overloaded(database: SqliteDatabase) -> None:
    bus = EmbeddedBus(database, settings=BusSettings(max_waiting=2))
    gate = Gate()
    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=gate, max_records=1):
        publishing = [spawn(bus.publish(FANOUT_TOPIC, key=b"k", value=b"0"), name="test")]
        await gate.begun.wait()
        publishing += [spawn(bus.publish(FANOUT_TOPIC, key=b"k", value=b"1"), name="test") for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ImError) as caught:
            await bus.publish(FANOUT_TOPIC, key=b"k", value=b"2")
        assert caught.value.reason is error_table.OVERLOADED
        gate.open.set()
        await asyncio.gather(*publishing)


async def test_fanout_without_room_for_a_dead_letter_fails(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = EmbeddedBus(database, settings=BusSettings(first_backoff_ms=1))

    async def fails(_records: Sequence[Record]) -> None:
        raise ValueError("broken")

    async def full(_unit: object) -> None:
        raise ImError(error_table.STORAGE_FULL, "full")

    monkeypatch.setattr(database, "write", full)
    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=fails):
        with pytest.raises(ImError) as caught:
            await bus.publish(FANOUT_TOPIC, key=b"k", value=b"1")
    assert caught.value.reason is error_table.STORAGE_FULL


async def test_a_store_that_is_away_is_told_to_the_publisher(
    bus: EmbeddedBus, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_unit: object) -> None:
        raise ImError(error_table.STORAGE_BUSY, "locked")

    monkeypatch.setattr(database, "write", away)
    with pytest.raises(ImError) as caught:
        await bus.publish("im.push", key=b"k", value=b"1")
    assert caught.value.reason is error_table.STORAGE_BUSY


async def test_a_consumer_outlives_a_store_that_was_away(
    bus: EmbeddedBus, database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads = database.read, 0

    async def flaky(unit: Unit[Any]) -> Any:
        nonlocal reads
        reads += 1
        if reads <= 2:
            raise ImError(error_table.STORAGE_BUSY, "locked")
        return await read(unit)

    monkeypatch.setattr(database, "read", flaky)
    gate = Gate()
    gate.open.set()
    async with asyncio.timeout(5), bus.consume("im.push", group="task", handler=gate):
        await bus.publish("im.push", key=b"k", value=b"1")
        while gate.effects != [b"1"]:
            await asyncio.sleep(0.002)


async def test_order_survives_a_clock_that_goes_back(bus: EmbeddedBus, clock: ManualClock) -> None:
    await bus.publish("im.push", key=b"k", value=b"1")
    clock.jump(-3_600_000)
    await bus.publish("im.push", key=b"k", value=b"2")
    gate = Gate()
    gate.open.set()
    async with asyncio.timeout(5), bus.consume("im.push", group="task", handler=gate):
        while len(gate.effects) < 2:
            await asyncio.sleep(0.002)
    assert gate.effects == [b"1", b"2"]


async def test_a_topic_has_one_consumer_at_a_time(bus: EmbeddedBus) -> None:
    async with bus.consume("im.push", group="task", handler=ignore):
        with pytest.raises(ValueError, match="consumed by task already"):
            async with bus.consume("im.push", group="other", handler=ignore):
                pass
    async with bus.consume("im.push", group="other", handler=ignore):
        pass


async def test_dead_letters_are_neither_published_nor_consumed(bus: EmbeddedBus) -> None:
    with pytest.raises(ValueError, match="dead letter"):
        await bus.publish(DEAD_LETTER_TOPIC, key=b"", value=b"")
    with pytest.raises(ValueError, match="dead letters"):
        async with bus.consume(DEAD_LETTER_TOPIC, group="task", handler=ignore):
            pass


async def test_what_is_too_large_is_a_mistake(bus: EmbeddedBus) -> None:
    with pytest.raises(ValueError, match="bytes"):
        await bus.publish("im.push", key=b"", value=b"x" * (MAX_RECORD_BYTES + 1))
    with pytest.raises(ValueError, match="headers"):
        await bus.publish("im.push", key=b"", value=b"", headers={"a": "x" * 2_000})


async def test_records_are_counted_by_topic(database: SqliteDatabase) -> None:
    metrics = Metrics()
    bus = EmbeddedBus(database, metrics=metrics, settings=BusSettings(first_backoff_ms=1))
    tries = 0

    async def fails_twice(_records: Sequence[Record]) -> None:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise ValueError("not now")

    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=fails_twice):
        await bus.publish(FANOUT_TOPIC, key=b"k", value=b"1")
    text = metrics.render().decode()
    for name, value in {"published": 1, "consumed": 1, "retries": 2, "dead_letters": 0}.items():
        assert f'im_bus_{name}_total{{topic="im.fanout"}} {value}.0' in text


async def test_closing_waits_for_what_is_being_stored(database: SqliteDatabase) -> None:
    bus = EmbeddedBus(database)
    publishing = spawn(bus.publish("im.push", key=b"k", value=b"1"), name="test")
    await asyncio.sleep(0)
    await bus.close()
    assert publishing.done() or await publishing is None
