"""Kafka away: killed, frozen, not up yet."""

import asyncio
import gc
import time
import warnings
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import KafkaConnectionError

from im_cli.engines.engine import Engine
from im_infra.bus.abstract import Bus
from im_infra.bus.kafka.group import Membership
from im_infra.error_kind import Kind
from im_infra.errors import ImError
from tests.integration.im_infra.bus.conftest import OpenBus, Taken, first_seen, until

TOPIC = "im.fanout"


async def takes(bus: Bus, value: bytes) -> bool:
    try:
        await bus.publish(TOPIC, key=b"k", value=value)
    except ImError:
        return False
    return True


async def test_what_was_taken_arrives_after_a_kill(own_kafka: Engine, open_kafka_bus: OpenBus) -> None:
    """In order, each at least once; and while Kafka is away, publishing fails in bounded time."""
    bus = await open_kafka_bus(own_kafka.address, publish_timeout_s=2, request_timeout_s=2)
    taken, published = Taken(), []
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        for number in range(50):
            published.append(b"before-%d" % number)
            await bus.publish(TOPIC, key=b"k", value=published[-1])
        await asyncio.to_thread(own_kafka.kill)
        started = time.monotonic()
        with pytest.raises(ImError) as away:
            await bus.publish(TOPIC, key=b"k", value=b"lost")
        assert away.value.kind is Kind.UNAVAILABLE
        assert time.monotonic() - started < 3
        started = time.monotonic()
        assert not await takes(bus, b"lost")
        assert time.monotonic() - started < 0.1, "while it is known to be away, nobody waits"
        with pytest.raises(ImError):
            await bus.check()
        await asyncio.to_thread(own_kafka.start)
        for number in range(50):  # a broker that has just come back may stall for longer than a publish waits
            value = b"after-%d" % number
            await until(partial(takes, bus, value))
            published.append(value)
        await taken.until(set(published), seconds=30)
        assert first_seen([value for value in taken.values() if value != b"lost"]) == published
        await bus.check()


async def test_a_frozen_broker_is_bounded_and_comes_back(own_kafka: Engine, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(own_kafka.address, publish_timeout_s=1, request_timeout_s=2)
    taken = Taken()
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        await bus.publish(TOPIC, key=b"k", value=b"before")
        await taken.until({b"before"})
        own_kafka.pause()
        started = time.monotonic()
        assert not await takes(bus, b"frozen")
        assert 0.9 < time.monotonic() - started < 2
        with pytest.raises(ImError):
            await bus.check()
        own_kafka.resume()
        await until(lambda: takes(bus, b"after"))
        await taken.until({b"after"})


@pytest.mark.parametrize("failure", [KafkaConnectionError, asyncio.CancelledError])
async def test_a_client_that_cancels_itself_is_followed_by_another(
    failure: type[BaseException], kafka_address: str, open_kafka_bus: OpenBus
) -> None:
    """As aiokafka does it when a broker goes: its tasks are cancelled, and the cancellation comes out of a call."""
    fetch, close, failed = AIOKafkaConsumer.getmany, Fetcher.close, []

    async def fail_once(consumer: AIOKafkaConsumer, **options: Any) -> Any:
        if not failed:
            failed.append(consumer)
            raise failure
        return await fetch(consumer, **options)

    async def close_badly(fetcher: Fetcher) -> None:
        await close(fetcher)
        raise asyncio.CancelledError

    bus = await open_kafka_bus(kafka_address)
    taken = Taken()
    with patch.object(AIOKafkaConsumer, "getmany", fail_once), patch.object(Fetcher, "close", close_badly):
        async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
            await bus.publish(TOPIC, key=b"k", value=b"1")
            await taken.until({b"1"})
    assert failed


async def test_it_may_start_before_kafka(own_kafka: Engine, open_kafka_bus: OpenBus) -> None:
    """The reason is told, and everything works once the broker is there."""
    await asyncio.to_thread(own_kafka.stop)
    bus = await open_kafka_bus(own_kafka.address)
    with pytest.raises(ImError, match=f"kafka: {own_kafka.address}.*onnect"):
        await bus.check()
    with pytest.raises(ImError, match="kafka"):
        await bus.dead_letters()
    taken = Taken()
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        await asyncio.to_thread(own_kafka.start)
        await until(lambda: takes(bus, b"1"))
        await taken.until({b"1"})


# A connection that aiokafka was making when its client was closed closes itself when it is collected, and says so.
@pytest.mark.filterwarnings(
    "ignore:.*(AIOKafkaConnection|StreamWriter).__del__:pytest.PytestUnraisableExceptionWarning"
)
async def test_closing_is_bounded_while_kafka_is_away(own_kafka: Engine, open_kafka_bus: OpenBus) -> None:
    """Neither a consumer nor a record under way holds a process up."""
    bus = await open_kafka_bus(own_kafka.address, publish_timeout_s=60)
    async with bus.consume(TOPIC, group="task", handler=Taken().by("one")):
        await bus.publish(TOPIC, key=b"k", value=b"1")
        own_kafka.pause()
        waiting = asyncio.create_task(bus.publish(TOPIC, key=b"k", value=b"2"))
        await asyncio.sleep(0)
        started = time.monotonic()
    await bus.__aexit__()
    assert time.monotonic() - started < 18
    with pytest.raises(ImError, match="closed"):
        await bus.publish(TOPIC, key=b"k", value=b"3")
    waiting.cancel()
    own_kafka.kill()
    gc.collect()


async def test_partitions_that_come_while_the_membership_ends_are_left_to_the_next() -> None:
    """The assignment may be told after the tasks of the stay have begun to end: nothing begins, and nothing is left over."""
    consumer: Any = SimpleNamespace(assignment=set)
    membership = Membership(consumer, topic="im.test", make_partition=lambda _partition: pytest.fail("it begins"))
    async with asyncio.TaskGroup() as tasks:
        membership._tasks = tasks
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await membership.on_partitions_assigned([])
        gc.collect()
    assert membership._working is None
