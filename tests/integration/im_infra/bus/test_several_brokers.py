"""The bus on a Kafka of three brokers, with the copies that a cluster has by default: one broker may die."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from im_cli.engines.engine import Engine
from im_infra.bus.abstract import Bus
from im_infra.bus.kafka.examine import examine_kafka
from im_infra.bus.settings import KafkaSettings
from im_infra.error_kind import Kind
from im_infra.errors import ImError
from im_infra.finding import Grade
from tests.integration.im_infra.bus.conftest import OpenBus, Taken, first_seen
from tests.support.kafka_brokers import kafka_brokers

TOPIC = "im.fanout"
WAIT_S = 60


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Sequence[Engine]]:
    with kafka_brokers(tmp_path) as running:
        yield running


async def publish(bus: Bus, values: Sequence[bytes]) -> None:
    """Each until it is taken, as the outbox does."""
    async with asyncio.timeout(WAIT_S):
        for value in values:
            while True:
                try:
                    await bus.publish(TOPIC, key=b"k", value=value)
                except ImError:
                    await asyncio.sleep(0.1)
                else:
                    break


@pytest.mark.faults
@pytest.mark.timeout(180)
async def test_one_broker_may_die_and_two_may_not(brokers: Sequence[Engine], open_kafka_bus: OpenBus) -> None:
    """Nothing that was taken is lost, and order holds; with one broker nothing is taken, which is told."""
    addresses = tuple(broker.address for broker in brokers)
    copies = {"bootstrap_servers": addresses, "replication_factor": 3, "min_insync_replicas": 2}
    bus = await open_kafka_bus("", **copies, publish_timeout_s=5)
    taken = Taken()
    values = [b"%03d" % number for number in range(90)]
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        await publish(bus, values[:30])
        settings: KafkaSettings = bus._settings.kafka
        good = [each for each in await examine_kafka(settings) if TOPIC in each.subject]
        assert [each.grade for each in good] == [Grade.GOOD]
        await asyncio.to_thread(brokers[0].kill)
        await publish(bus, values[30:60])
        await taken.until(set(values[:60]), seconds=WAIT_S)
        lagging = [each for each in await examine_kafka(settings) if TOPIC in each.subject and "lag" in each.told]
        assert [each.grade for each in lagging] == [Grade.WARNING]
        await asyncio.to_thread(brokers[1].kill)
        with pytest.raises(ImError) as refused:
            await bus.publish(TOPIC, key=b"k", value=b"refused")
        assert refused.value.kind is Kind.UNAVAILABLE
        await asyncio.to_thread(brokers[0].start)
        await publish(bus, values[60:])
        await taken.until(set(values), seconds=WAIT_S)
    assert first_seen([value for value in taken.values() if value != b"refused"]) == values
