import asyncio

import pytest
import structlog

from im_infra.bus import consuming as module
from im_infra.bus.consuming import Consumer, consuming


async def test_closing_waits_for_what_it_is_at() -> None:
    consumer, begun, go_on, finished = Consumer(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run() -> None:
        begun.set()
        await go_on.wait()
        finished.set()

    async with asyncio.timeout(5), consuming(consumer, run, name="test"):
        await begun.wait()
        asyncio.get_running_loop().call_later(0.02, go_on.set)
    assert finished.is_set()


async def test_closing_cancels_what_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.02)
    cancelled = asyncio.Event()

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with asyncio.timeout(5), consuming(Consumer(), run, name="test"):
        await asyncio.sleep(0)
    assert cancelled.is_set()


async def test_a_wake_that_came_before_is_not_missed_and_counts_once() -> None:
    consumer = Consumer()
    consumer.wake()
    async with asyncio.timeout(5):
        await consumer.woken()
        await consumer.woken(0.01)


async def test_stopping_ends_every_wait() -> None:
    consumer = Consumer()
    consumer.stop()
    async with asyncio.timeout(5):
        await consumer.woken()
        await consumer.pause(60)
    assert consumer.stopping


async def test_a_consumer_that_ends_unasked_is_told() -> None:
    ended = asyncio.Event()

    async def run() -> None:
        ended.set()

    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(5), consuming(Consumer(), run, name="test"):
            await ended.wait()
            await asyncio.sleep(0)
    assert [(line["event"], line["consumer"]) for line in lines] == [("consumer ended unasked", "test")]
