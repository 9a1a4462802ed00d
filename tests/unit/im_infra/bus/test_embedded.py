import asyncio
from collections.abc import Sequence

import pytest

from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC, Record
from im_infra.bus.embedded import MAX_RECORD_BYTES, EmbeddedBus
from im_infra.bus.settings import BusSettings
from im_infra.observability.metrics import Metrics
from im_infra.sql.sqlite import SqliteDatabase


async def ignore(_records: Sequence[Record]) -> None:
    return


async def fail(_records: Sequence[Record]) -> None:
    raise ValueError("broken")


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


async def test_a_fanout_letter_is_redriven_by_another_process(bus: EmbeddedBus, database: SqliteDatabase) -> None:
    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=fail):
        await bus.publish(FANOUT_TOPIC, key=b"k", value=b"1")
    (letter,) = await bus.dead_letters()
    assert await EmbeddedBus(database).redrive(letter.dead_letter_id)
    taken = asyncio.Event()

    async def take(_records: Sequence[Record]) -> None:
        taken.set()

    async with asyncio.timeout(5), bus.consume(FANOUT_TOPIC, group="task", handler=take):
        await taken.wait()


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
