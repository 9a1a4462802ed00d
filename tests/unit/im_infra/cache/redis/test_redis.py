"""The member against real servers, under use: killed, paused, flushed, without its scripts, full."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from im_cli.engines.engine import Engine
from im_cli.engines.redis import redis_client
from im_cli.engines.redis_cluster import RedisCluster
from im_infra import error_table
from im_infra.cache.redis.redis import RedisCache, open_redis
from im_infra.error_table import Reason
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from tests.support.engine_fixtures import PASSWORD, redis_settings


async def until_epoch(cache: RedisCache) -> str:
    async with asyncio.timeout(10):
        while True:
            try:
                return await cache.epoch()
            except ImError:
                await asyncio.sleep(0.01)


async def test_who_is_not_let_in_hears_why(redis_engine: Engine) -> None:
    settings = redis_settings(redis_engine.address).model_copy(update={"password": SecretStr("wrong")})
    with pytest.raises(ImError, match=r"(?i)password") as caught:
        async with open_redis(settings, Metrics()):
            pass
    assert caught.value.reason is error_table.UNAVAILABLE
    assert "wrong" not in caught.value.message.split()


async def test_a_restarted_server_learns_the_scripts_again(redis_engine: Engine) -> None:
    async with open_redis(redis_settings(redis_engine.address), Metrics()) as cache:
        assert await cache.compare_and_set("a", None, b"1", ttl_s=60)
        with redis_client(redis_engine.port, password=PASSWORD) as client:
            client.script_flush()
        assert await cache.compare_and_set("a", b"1", b"2", ttl_s=60)
        assert [await cache.increment("n", ttl_s=60) for _ in range(2)] == [1, 2]


async def test_keys_carry_the_prefix(redis_engine: Engine) -> None:
    settings = redis_settings(redis_engine.address, key_prefix="east:")
    async with (
        open_redis(settings, Metrics()) as east,
        open_redis(redis_settings(redis_engine.address), Metrics()) as other,
    ):
        await east.put("a", b"1", ttl_s=60)
        assert await other.get_many(["a"]) == [None]
        assert await east.epoch() != await other.epoch()
    with redis_client(redis_engine.port, password=PASSWORD) as client:
        assert client.get("east:a") == b"1"


async def test_a_full_server_refuses_new_keys_and_keeps_what_it_has(redis_engine: Engine) -> None:
    async with open_redis(redis_settings(redis_engine.address), Metrics()) as cache:
        await cache.put("a", b"1", ttl_s=60)
        with redis_client(redis_engine.port, password=PASSWORD) as client:
            client.config_set("maxmemory", "1")
            try:
                with pytest.raises(ImError) as caught:
                    await cache.put("b", b"x" * 1_000, ttl_s=60)
                assert caught.value.reason is error_table.UNAVAILABLE
                assert await cache.get_many(["a", "b"]) == [b"1", None]
            finally:
                client.config_set("maxmemory", "256mb")
        await cache.put("b", b"2", ttl_s=60)


async def test_flushed_under_use_no_read_takes_the_loss_for_an_absence(redis_engine: Engine) -> None:
    """Whoever reads None reads another epoch with it."""
    metrics = Metrics()
    async with open_redis(redis_settings(redis_engine.address), metrics) as cache:
        keys = [f"k{number}" for number in range(20)]
        await asyncio.gather(*(cache.put(key, b"1", ttl_s=60) for key in keys))
        epoch = await cache.epoch()
        done = asyncio.Event()
        silent: list[int] = []

        async def read() -> None:
            while not done.is_set():
                values, present = await cache.read(keys)
                if None in values and present == epoch:
                    silent.append(1)

        async def flush() -> None:
            await asyncio.sleep(0.05)
            with redis_client(redis_engine.port, password=PASSWORD) as client:
                await asyncio.to_thread(client.flushall)
            await asyncio.sleep(0.05)
            done.set()

        await asyncio.gather(flush(), *(read() for _ in range(5)))
        assert silent == []
        assert await cache.epoch() != epoch
    assert metrics.counter("im_cache_epoch_changes_total")._value.get() == 1


async def test_killed_under_use_every_call_ends_soon_and_later_ones_work(redis_engine: Engine) -> None:
    async with open_redis(redis_settings(redis_engine.address, timeout_ms=200), Metrics()) as cache:
        longest = 0.0
        counts = {"good": 0, "failed": 0}
        reasons: set[Reason] = set()
        done = asyncio.Event()

        async def use(number: int) -> None:
            nonlocal longest
            while not done.is_set():
                began = time.monotonic()
                try:
                    await cache.put(f"k{number}", b"1", ttl_s=60)
                    await cache.get_many([f"k{number}", "other"])
                    counts["good"] += 1
                except ImError as error:
                    reasons.add(error.reason)
                    counts["failed"] += 1
                    await asyncio.sleep(0.001)
                longest = max(longest, time.monotonic() - began)

        async def kill() -> None:
            for act in (redis_engine.kill, redis_engine.start, redis_engine.pause, redis_engine.resume):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(act)
            await until_epoch(cache)
            before = counts["good"]
            await asyncio.sleep(0.2)
            assert counts["good"] > before, "it works again"
            done.set()

        await asyncio.gather(kill(), *(use(number) for number in range(10)))
        assert reasons == {error_table.UNAVAILABLE}
        assert longest < 2.0


async def test_a_node_that_is_away_takes_its_own_keys_along_and_no_more(redis_cluster: RedisCluster) -> None:
    settings = redis_settings(*redis_cluster.addresses, cluster=True, timeout_ms=200)
    async with open_redis(settings, Metrics()) as cache:
        keys = [f"k{number}" for number in range(60)]
        for key in keys:
            await cache.put(key, b"1", ttl_s=60)
        epoch = await cache.epoch()
        redis_cluster.nodes[1].kill()
        outcomes = await asyncio.gather(*(cache.get_many([key]) for key in keys), return_exceptions=True)
        kept = [one for one in outcomes if one == [b"1"]]
        lost = [one for one in outcomes if isinstance(one, ImError)]
        assert len(kept) + len(lost) == 60
        assert kept
        assert lost
        with pytest.raises(ImError):
            await cache.epoch()
        redis_cluster.nodes[1].start()
        redis_cluster.wait_agreed()
        assert await until_epoch(cache) != epoch
        values, present = await cache.read(keys)
        assert values.count(None) == len(lost)
        assert present == await cache.epoch()
        async with open_redis(settings, Metrics()) as other:
            assert await other.epoch() == present, "every process tells the same"
