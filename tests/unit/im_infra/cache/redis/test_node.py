"""One real server: round trips that are shared, outages, and what it lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from im_cli.engines.engine import Engine, free_port
from im_cli.engines.redis import REQUIREMENTS, redis, redis_client
from im_infra import error_table
from im_infra.cache.redis import node as node_module
from im_infra.cache.redis.node import RedisNode
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from tests.support.engine_fixtures import PASSWORD, redis_settings
from tests.support.engines import require


@asynccontextmanager
async def opened(engine: Engine, metrics: Metrics | None = None, **options: Any) -> AsyncIterator[RedisNode]:
    node = RedisNode(
        engine.address,
        settings=redis_settings(engine.address, **options),
        epoch_key="im:epoch",
        metrics=metrics or Metrics(),
        on_epoch=lambda: None,
    )
    node.start()
    try:
        yield node
    finally:
        await node.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def answers(node: RedisNode) -> bool:
    try:
        await node.ask([("PING",)])
    except ImError:
        return False
    return True


async def until_answers(node: RedisNode) -> None:
    async with asyncio.timeout(10):
        while not await answers(node):
            await asyncio.sleep(0.01)


async def test_callers_share_round_trips(redis_engine: Engine) -> None:
    metrics = Metrics()
    async with opened(redis_engine, metrics) as node:
        await node.wait_settled()
        answered = await asyncio.gather(*(node.ask([("ECHO", f"{number}")]) for number in range(1_000)))
        assert answered == [[f"{number}".encode()] for number in range(1_000)]
    assert metrics.counter("im_cache_round_trips_total")._value.get() <= 3


async def test_what_comes_during_a_round_trip_shares_the_next(redis_engine: Engine) -> None:
    metrics = Metrics()
    async with opened(redis_engine, metrics, connections=1) as node:

        async def one_after_the_other() -> None:
            for _ in range(20):
                await node.ask([("PING",)])

        await asyncio.gather(*(one_after_the_other() for _ in range(50)))
    assert metrics.counter("im_cache_round_trips_total")._value.get() <= 60


async def test_a_caller_that_gives_up_disturbs_nobody(redis_engine: Engine) -> None:
    async with opened(redis_engine) as node:
        await node.wait_settled()
        first, second = (asyncio.create_task(node.ask([("ECHO", text)])) for text in ("1", "2"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == [b"2"]
        assert await node.ask([("ECHO", "3")]) == [b"3"]


async def test_too_much_waiting_is_refused(redis_engine: Engine) -> None:
    async with opened(redis_engine, max_waiting=10) as node:
        outcomes = await asyncio.gather(*(node.ask([("PING",)], weight=4) for _ in range(5)), return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, ImError)]
        assert len(refused) == 3
        assert {one.reason for one in refused} == {error_table.UNAVAILABLE}
        assert await node.ask([("PING",)], weight=50) == [b"PONG"], "alone, anything fits"


async def test_nobody_there_is_told_at_once() -> None:
    node = RedisNode(
        f"127.0.0.1:{free_port()}",
        settings=redis_settings("x:1"),
        epoch_key="e",
        metrics=Metrics(),
        on_epoch=lambda: None,
    )
    node.start()
    with pytest.raises(ImError, match="is away"):
        await node.wait_settled()
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(ImError, match="is away"):
            await node.ask([("PING",)])
    assert time.monotonic() - began < 0.2
    await node.close()


async def test_a_silent_server_costs_a_timeout_once_and_comes_back(redis_engine: Engine) -> None:
    metrics = Metrics()
    async with opened(redis_engine, metrics, timeout_ms=100) as node:
        await node.wait_settled()
        redis_engine.pause()
        began = time.monotonic()
        with pytest.raises(ImError, match="no answer within 100 ms"):
            await node.ask([("PING",)])
        assert time.monotonic() - began < 0.4
        async with asyncio.timeout(2):  # the other connection, and a new one, are silent, too
            while await answers(node) or "away" not in str(node._away):
                await asyncio.sleep(0.01)
        began = time.monotonic()
        for _ in range(100):
            assert not await answers(node)
        assert time.monotonic() - began < 0.1, "no timeout for each"
        redis_engine.resume()
        await until_answers(node)
        epoch = node.epoch
        await node.ask([], weight=0, reads=True)
        assert node.epoch == epoch, "it lost nothing"


async def test_a_killed_server_is_away_until_it_is_back_and_then_of_another_epoch(redis_engine: Engine) -> None:
    async with opened(redis_engine) as node:
        await node.wait_settled()
        epoch = node.epoch
        redis_engine.kill()
        assert not await answers(node)
        await until(lambda: node._away is not None)
        redis_engine.start()
        await until_answers(node)
        assert node.epoch not in {epoch, ""}


async def test_old_data_found_on_disk_is_another_epoch(tmp_path: Path) -> None:
    """A server that kept its keys over a restart may lack the last ones; the run tells."""
    require(REQUIREMENTS)
    with redis(tmp_path, password=PASSWORD, options=["appendonly yes", "appendfsync always"]) as engine:
        async with opened(engine) as node:
            await node.wait_settled()
            await node.ask([("SET", "a", b"1")])
            epoch = node.epoch
            engine.kill()
            engine.start()
            await until_answers(node)
            assert await node.ask([("GET", "a")], reads=True) == [b"1"]
            assert node.epoch not in {epoch, ""}


async def test_a_flush_is_seen_by_the_read_that_misses_something(redis_engine: Engine) -> None:
    async with opened(redis_engine) as node, opened(redis_engine) as other:
        await node.wait_settled()
        await other.wait_settled()
        assert node.epoch == other.epoch
        await node.ask([("SET", "a", b"1")])
        epoch = node.epoch
        with redis_client(redis_engine.port, password=PASSWORD) as client:
            client.flushall()
        assert await node.ask([("GET", "a")], reads=True) == [None]
        assert node.epoch not in {epoch, ""}
        await other.ask([], weight=0, reads=True)
        assert other.epoch == node.epoch, "whoever comes second takes the one that is there"


async def test_reads_survive_a_connection_that_is_cut(redis_engine: Engine) -> None:
    """They are sent again; what might harm twice is not."""
    async with opened(redis_engine, connections=1) as node:
        await node.ask([("SET", "a", b"1")])
        with redis_client(redis_engine.port, password=PASSWORD) as client:
            client.client_kill_filter(_type="normal", skipme=True)
            assert await node.ask([("GET", "a")], reads=True, repeatable=True) == [b"1"]
            client.client_kill_filter(_type="normal", skipme=True)
            with pytest.raises(ImError):
                await node.ask([("INCR", "n")])
            assert await node.ask([("GET", "n")]) in ([None], [b"1"])


async def test_closing_fails_what_is_under_way(redis_engine: Engine) -> None:
    async with opened(redis_engine, connections=1, timeout_ms=5_000) as node:
        await node.wait_settled()
        redis_engine.pause()
        asked = [asyncio.create_task(node.ask([("PING",)])) for _ in range(2)]
        await asyncio.sleep(0.05)
        asked.append(asyncio.create_task(node.ask([("PING",)])))
        await asyncio.sleep(0)
        await node.close()
        assert all(isinstance(one, ImError) for one in await asyncio.gather(*asked, return_exceptions=True))


async def test_another_key_for_the_epoch_is_read_anew(redis_engine: Engine) -> None:
    async with opened(redis_engine) as node:
        await node.wait_settled()
        epoch = node.epoch
        node.keep_epoch_in("im:other")
        assert node.epoch == ""
        await node.ask([], weight=0, reads=True)
        assert node.epoch not in {epoch, ""}


async def test_a_silent_connection_is_tried_before_anybody_needs_it(
    redis_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "_IDLE_S", 0.05)
    metrics = Metrics()
    async with opened(redis_engine, metrics, timeout_ms=100) as node:
        await node.wait_settled()
        await until(lambda: metrics.counter("im_cache_round_trips_total")._value.get() >= 4)
        redis_engine.pause()
        await until(lambda: node._away is not None)
        redis_engine.resume()
        await until_answers(node)


async def test_the_others_are_made_anew_when_one_connection_fails(redis_engine: Engine) -> None:
    """They lead to the same server: what would be sent on them would be lost likewise."""
    async with opened(redis_engine, connections=2) as node:
        await until(lambda: len(node._free) == 2)
        before = {lane.connection for lane in node._free}
        next(iter(before)).end(ConnectionResetError("cut"))
        await until(lambda: len(node._free) == 2 and not before & {lane.connection for lane in node._free})
        assert all(connection.lost.done() for connection in before)
        assert await node.ask([("ECHO", "a")]) == [b"a"]


async def test_what_is_asked_leaves_within_the_call(redis_engine: Engine) -> None:
    async with opened(redis_engine, connections=1) as node:
        await until(lambda: len(node._free) == 1)
        asked = asyncio.create_task(node.ask([("ECHO", "a")]))
        await asyncio.sleep(0)
        assert (len(node._waiting), len(node._free)) == (0, 0), "no task has to wake up for it"
        assert await asked == [b"a"]


async def test_nobody_waits_for_a_cache_that_is_closed(redis_engine: Engine) -> None:
    async with opened(redis_engine) as node:
        await node.wait_settled()
    async with asyncio.timeout(5):
        with pytest.raises(ImError, match="closed") as refused:
            await node.ask([("PING",)])
    assert refused.value.reason is error_table.UNAVAILABLE


@pytest.mark.parametrize("closed", [True, False])
async def test_a_connection_that_falls_silent_after_the_greeting_is_not_left_behind(closed: Any) -> None:
    """Whether its time is over, or the node is closed meanwhile."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            if b"AUTH" in data:
                writer.write(b"+OK\r\n")
            elif b"INFO" in data:
                writer.write(b"$-1\r\n")
            else:
                asked.set()
        gone.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = redis_settings(address, connections=1, timeout_ms=10_000 if closed else 100)
    node = RedisNode(address, settings=settings, epoch_key="e", metrics=Metrics(), on_epoch=lambda: None)
    node.start()
    async with asyncio.timeout(10):
        await asked.wait()
        if closed:
            await node.close()
        await gone.wait()
    await node.close()
    server.close()
