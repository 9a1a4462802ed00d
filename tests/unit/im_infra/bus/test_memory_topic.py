import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import pytest

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.bus.abstract import Record
from im_infra.bus.memory_topic import MemoryTopic
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics


class Gated(Protocol):
    begun: asyncio.Event
    open: asyncio.Event
    effects: list[bytes]

    async def __call__(self, records: Sequence[Record]) -> None: ...


class Grave:
    """Where dead letters are kept."""

    def __init__(self) -> None:
        self.buried: list[tuple[Record, str]] = []

    async def __call__(self, record: Record, error: str) -> None:
        self.buried.append((record, error))


def record(value: bytes = b"1") -> Record:
    return Record("t", b"k", value)


def topic(bury: Callable[[Record, str], Awaitable[None]], *, max_waiting: int = 100) -> MemoryTopic:
    settings = BusSettings(max_waiting=max_waiting, first_backoff_ms=1)
    return MemoryTopic("t", settings=settings, counts=TopicCounts(Metrics(), "t"), bury=bury)


async def fails(_records: Sequence[Record]) -> None:
    raise ValueError("broken")


async def test_publishing_returns_after_the_effect(gate: Gated) -> None:
    fanout = topic(Grave())
    async with asyncio.timeout(5), fanout.consume(gate, 10):
        publishing = spawn(fanout.publish(record()), name="test")
        await gate.begun.wait()
        assert not publishing.done()
        gate.open.set()
        await publishing
        assert gate.effects == [b"1"]


async def test_without_a_consumer_it_is_unavailable(gate: Gated) -> None:
    fanout = topic(Grave())
    async with fanout.consume(gate, 10):
        pass
    with pytest.raises(ImError) as caught:
        await fanout.publish(record())
    assert caught.value.reason is error_table.UNAVAILABLE


async def test_what_waits_when_the_consumer_closes_is_unavailable(gate: Gated) -> None:
    fanout = topic(Grave())
    async with asyncio.timeout(5):
        async with fanout.consume(gate, 1):
            publishing = [spawn(fanout.publish(record()), name="test") for _ in range(3)]
            await gate.begun.wait()
            asyncio.get_running_loop().call_later(0.01, gate.open.set)
        first, *others = await asyncio.gather(*publishing, return_exceptions=True)
    assert first is None
    assert [error.reason for error in others if isinstance(error, ImError)] == [error_table.UNAVAILABLE] * 2


async def test_a_full_buffer_is_overloaded(gate: Gated) -> None:
    fanout = topic(Grave(), max_waiting=2)
    async with asyncio.timeout(5), fanout.consume(gate, 1):
        publishing = [spawn(fanout.publish(record()), name="test")]
        await gate.begun.wait()
        publishing += [spawn(fanout.publish(record()), name="test") for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ImError) as caught:
            await fanout.publish(record())
        assert caught.value.reason is error_table.OVERLOADED
        gate.open.set()
        await asyncio.gather(*publishing)


async def test_what_is_given_up_is_buried_and_its_publisher_goes_on() -> None:
    grave = Grave()
    fanout = topic(grave)
    async with asyncio.timeout(5), fanout.consume(fails, 10):
        await fanout.publish(record())
    ((buried, error),) = grave.buried
    assert (buried.value, buried.attempts, error) == (b"1", 3, "ValueError: broken")


async def test_what_cannot_be_buried_fails() -> None:
    async def full(_record: Record, _error: str) -> None:
        raise ImError(error_table.STORAGE_FULL, "full")

    fanout = topic(full)
    async with asyncio.timeout(5), fanout.consume(fails, 10):
        with pytest.raises(ImError) as caught:
            await fanout.publish(record())
    assert caught.value.reason is error_table.STORAGE_FULL


async def test_a_publisher_that_is_gone_disturbs_nobody(gate: Gated) -> None:
    fanout = topic(Grave())
    async with asyncio.timeout(5), fanout.consume(gate, 1):
        gone = spawn(fanout.publish(record(b"1")), name="test")
        await gate.begun.wait()
        gone.cancel()
        gate.open.set()
        await fanout.publish(record(b"2"))
    assert gate.effects == [b"1", b"2"]


async def test_when_the_consumer_ends_unasked_nobody_waits_for_it() -> None:
    """A handler that cancels its own task takes the consumer with it."""

    async def cancels(_records: Sequence[Record]) -> None:
        raise asyncio.CancelledError

    fanout = topic(Grave())
    async with asyncio.timeout(5), fanout.consume(cancels, 1):
        outcomes = await asyncio.gather(*(fanout.publish(record()) for _ in range(3)), return_exceptions=True)
        assert [error.reason for error in outcomes if isinstance(error, ImError)] == [error_table.UNAVAILABLE] * 3
