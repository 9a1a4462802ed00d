"""Records that must not take effect any more are dropped, and the topic is made anew."""

import asyncio
from collections.abc import Sequence

import pytest

from im_infra.bus.abstract import FANOUT_TOPIC, Record
from im_infra.bus.kafka.discard import discard_fanout
from im_infra.bus.settings import KafkaSettings
from im_infra.errors import ImError
from tests.integration.im_infra.bus.conftest import OpenBus


async def test_what_waited_is_gone_and_what_comes_is_consumed(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(kafka_address)
    await bus.publish(FANOUT_TOPIC, key=b"k", value=b"before")
    assert await discard_fanout(bus._settings.kafka)
    assert not await discard_fanout(bus._settings.kafka)
    taken: list[bytes] = []

    async def handler(records: Sequence[Record]) -> None:
        taken.extend(record.value for record in records)

    fresh = await open_kafka_bus(kafka_address)
    async with fresh.consume(FANOUT_TOPIC, group="task", handler=handler), asyncio.timeout(30):
        await fresh.publish(FANOUT_TOPIC, key=b"k", value=b"after")
        while not taken:
            await asyncio.sleep(0.02)
    assert taken == [b"after"]


async def test_brokers_that_are_away_are_told() -> None:
    with pytest.raises(ImError, match=r"127\.0\.0\.1:1"):
        await discard_fanout(KafkaSettings(bootstrap_servers=("127.0.0.1:1",)))
