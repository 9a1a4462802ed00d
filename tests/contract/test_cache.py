"""What every cache promises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from im_cli.engines.engine import Engine
from im_cli.engines.redis import REQUIREMENTS, RedisTls, redis_client
from im_cli.engines.redis import redis as redis_engine
from im_cli.engines.redis_cluster import RedisCluster
from im_infra.cache.abstract import Cache, Reading
from im_infra.cache.memory import MemoryCache
from im_infra.cache.redis.redis import open_redis
from im_infra.clock import ManualClock
from im_infra.observability.metrics import Metrics
from im_infra.settings.client_tls import ClientTlsSettings
from tests.support.certificates import make_authority, make_certificate
from tests.support.engine_fixtures import PASSWORD, redis_settings
from tests.support.engines import require


@dataclass(frozen=True)
class Member:
    """A cache, and what the suite does from outside."""

    cache: Cache
    pass_time: Callable[[float], Awaitable[None]]
    """Lets so many seconds pass."""
    lose_everything: Callable[[], Awaitable[None]]
    """A restart, a flush."""


@asynccontextmanager
async def memory(_request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    clock = ManualClock()
    cache = MemoryCache(clock)

    async def pass_time(seconds: float) -> None:
        clock.advance(seconds)

    async def lose_everything() -> None:
        cache.clear()

    yield Member(cache, pass_time, lose_everything)


@asynccontextmanager
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    engine: Engine = request.getfixturevalue("redis_engine")

    async def lose_everything() -> None:
        with redis_client(engine.port, password=PASSWORD) as client:
            client.flushall()

    async with open_redis(redis_settings(engine.address), Metrics()) as cache:
        yield Member(cache, asyncio.sleep, lose_everything)


@asynccontextmanager
async def redis_tls(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    require(REQUIREMENTS)
    folder: Path = request.getfixturevalue("tmp_path")
    authority = make_authority(folder)
    made = make_certificate(folder, authority)
    tls = RedisTls(made.certificate, made.key, authority.certificate)
    with redis_engine(folder / "data", password=PASSWORD, tls=tls) as engine:

        async def lose_everything() -> None:
            with redis_client(engine.port, password=PASSWORD, tls=tls) as client:
                client.flushall()

        settings = redis_settings(engine.address, tls=ClientTlsSettings(enabled=True, ca=authority.certificate))
        async with open_redis(settings, Metrics()) as cache:
            yield Member(cache, asyncio.sleep, lose_everything)


@asynccontextmanager
async def redis_cluster(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    cluster: RedisCluster = request.getfixturevalue("redis_cluster")

    async def lose_everything() -> None:
        for node in cluster.nodes:
            with cluster.client(node) as client:
                client.flushall()

    async with open_redis(redis_settings(cluster.addresses[0], cluster=True), Metrics()) as cache:
        yield Member(cache, asyncio.sleep, lose_everything)


@asynccontextmanager
async def redis_cluster_tls(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    cluster, tls = request.getfixturevalue("closed_cluster")

    async def lose_everything() -> None:
        for node in cluster.nodes:
            with cluster.client(node) as client:
                client.flushall()

    prefix = f"{request.getfixturevalue('tmp_path').name}:"  # nothing of the test before is under it
    settings = redis_settings(cluster.addresses[0], cluster=True, tls=tls, key_prefix=prefix)
    async with open_redis(settings, Metrics()) as cache:
        yield Member(cache, asyncio.sleep, lose_everything)


@pytest.fixture(scope="module")
def closed_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisCluster, ClientTlsSettings]]:
    """A Redis Cluster that speaks nothing but TLS, to clients and between its nodes."""
    require(REQUIREMENTS)
    folder = tmp_path_factory.mktemp("closed-redis-cluster")
    authority = make_authority(folder)
    made = make_certificate(folder, authority)
    tls = RedisTls(made.certificate, made.key, authority.certificate)
    with RedisCluster(folder / "data", password=PASSWORD, tls=tls) as cluster:
        yield cluster, ClientTlsSettings(enabled=True, ca=authority.certificate)


MEMBERS: dict[str, Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Member]]] = {
    "memory": memory,
    "redis": redis,
    "redis_tls": redis_tls,
    "redis_cluster": redis_cluster,
    "redis_cluster_tls": redis_cluster_tls,
}


@pytest.fixture(params=list(MEMBERS))
async def member(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    async with MEMBERS[request.param](request) as opened:
        yield opened


@pytest.fixture
def cache(member: Member) -> Cache:
    return member.cache


async def test_what_was_put_is_there(cache: Cache) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    assert await cache.get_many(["t:a"]) == [b"1"]


async def test_values_come_in_the_order_of_the_keys_with_none_for_the_missing(cache: Cache) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    await cache.put("t:b", b"2", ttl_s=60)
    assert await cache.get_many(["t:b", "t:x", "t:a", "t:b"]) == [b"2", None, b"1", b"2"]
    assert await cache.get_many([]) == []


async def test_many_values_come_at_once(cache: Cache) -> None:
    keys = [f"t:{number}" for number in range(2_500)]
    await asyncio.gather(*(cache.put(key, key.encode(), ttl_s=60) for key in keys[::2]))
    expected = [key.encode() if number % 2 == 0 else None for number, key in enumerate(keys)]
    assert await cache.get_many(keys) == expected


async def test_any_bytes_are_a_value(cache: Cache) -> None:
    for value in (b"", b"\0\xff", b"x" * 65_536):
        await cache.put("t:a", value, ttl_s=60)
        assert await cache.get_many(["t:a"]) == [value]


async def test_putting_again_replaces_value_and_time_to_live(member: Member) -> None:
    await member.cache.put("t:a", b"1", ttl_s=1)
    await member.cache.put("t:a", b"2", ttl_s=60)
    await member.pass_time(1.1)
    assert await member.cache.get_many(["t:a"]) == [b"2"]


async def test_values_end_with_their_time_to_live(member: Member) -> None:
    await member.cache.put("t:a", b"1", ttl_s=0.5)
    await member.pass_time(0.6)
    assert await member.cache.get_many(["t:a"]) == [None]
    assert await member.cache.take("t:a") is None


async def test_taking_deletes(cache: Cache) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    assert await cache.take("t:a") == b"1"
    assert await cache.take("t:a") is None
    assert await cache.get_many(["t:a"]) == [None]


async def test_of_many_takers_one_gets_it(cache: Cache) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    taken = await asyncio.gather(*(cache.take("t:a") for _ in range(20)))
    assert [value for value in taken if value is not None] == [b"1"]


async def test_compare_and_set_takes_the_expected_only(cache: Cache) -> None:
    assert await cache.compare_and_set("t:a", None, b"1", ttl_s=60)
    assert not await cache.compare_and_set("t:a", None, b"2", ttl_s=60)
    assert not await cache.compare_and_set("t:a", b"9", b"2", ttl_s=60)
    assert await cache.compare_and_set("t:a", b"1", b"2", ttl_s=60)
    assert await cache.get_many(["t:a"]) == [b"2"]


async def test_compare_and_set_deletes(cache: Cache) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    assert not await cache.compare_and_set("t:a", b"9", None, ttl_s=60)
    assert await cache.compare_and_set("t:a", b"1", None, ttl_s=60)
    assert await cache.get_many(["t:a"]) == [None]
    assert await cache.compare_and_set("t:a", None, None, ttl_s=60)


async def test_an_empty_value_is_not_an_absent_one(cache: Cache) -> None:
    await cache.put("t:a", b"", ttl_s=60)
    assert not await cache.compare_and_set("t:a", None, b"1", ttl_s=60)
    assert await cache.compare_and_set("t:a", b"", b"1", ttl_s=60)


async def test_the_expired_is_absent_to_compare_and_set(member: Member) -> None:
    await member.cache.put("t:a", b"1", ttl_s=0.5)
    await member.pass_time(0.6)
    assert not await member.cache.compare_and_set("t:a", b"1", b"2", ttl_s=60)
    assert await member.cache.compare_and_set("t:a", None, b"2", ttl_s=60)


async def test_setting_the_same_value_renews_it(member: Member) -> None:
    await member.cache.put("t:a", b"1", ttl_s=1)
    assert await member.cache.compare_and_set("t:a", b"1", b"1", ttl_s=60)
    await member.pass_time(1.1)
    assert await member.cache.get_many(["t:a"]) == [b"1"]


async def test_of_many_changes_none_is_lost(cache: Cache) -> None:
    async def add_one() -> None:
        while True:
            (present,) = await cache.get_many(["t:n"])
            if await cache.compare_and_set("t:n", present, b"%d" % (int(present or 0) + 1), ttl_s=60):
                return
            await asyncio.sleep(0)

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await cache.get_many(["t:n"]) == [b"20"]


async def test_counting_starts_at_one(cache: Cache) -> None:
    assert [await cache.increment("t:c", ttl_s=60) for _ in range(3)] == [1, 2, 3]


async def test_a_count_ends_a_while_after_its_first(member: Member) -> None:
    await member.cache.increment("t:c", ttl_s=1)
    await member.pass_time(0.6)
    assert await member.cache.increment("t:c", ttl_s=1) == 2
    await member.pass_time(0.6)
    assert await member.cache.increment("t:c", ttl_s=1) == 1


async def test_a_value_that_is_too_large_is_refused(cache: Cache) -> None:
    with pytest.raises(ValueError, match="65537"):
        await cache.put("t:a", b"x" * 65_537, ttl_s=60)
    with pytest.raises(ValueError, match="65537"):
        await cache.compare_and_set("t:a", None, b"x" * 65_537, ttl_s=60)
    assert await cache.get_many(["t:a"]) == [None]


async def test_reading_tells_the_epoch(member: Member) -> None:
    epoch = await member.cache.epoch()
    await member.cache.put("t:a", b"1", ttl_s=60)
    assert await member.cache.read(["t:a", "t:b"]) == Reading([b"1", None], epoch)
    assert await member.cache.read([]) == Reading([], epoch)


async def test_reading_tells_that_everything_was_lost(member: Member) -> None:
    """In the same answer: a missing value must not be taken for an absent one."""
    epoch = await member.cache.epoch()
    keys = [f"t:{number}" for number in range(50)]
    for key in keys:
        await member.cache.put(key, b"1", ttl_s=60)
    await member.lose_everything()
    values, present = await member.cache.read(keys)
    assert values == [None] * 50
    assert present != epoch
    assert present == await member.cache.epoch()


async def test_the_epoch_stays_until_everything_is_lost(member: Member) -> None:
    epoch = await member.cache.epoch()
    await member.cache.put("t:a", b"1", ttl_s=60)
    assert await member.cache.epoch() == epoch
    await member.lose_everything()
    assert await member.cache.epoch() != epoch
    assert await member.cache.get_many(["t:a"]) == [None]
