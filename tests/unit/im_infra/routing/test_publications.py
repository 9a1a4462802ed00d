from collections.abc import Sequence

import pytest

from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.routing.publications import PUBLISHED_TTL_S, Publications, living_gateways

ONE, TWO = ("gw-1", "boot-1"), ("gw-2", "boot-2")


class CountingCache(MemoryCache):
    reads = 0

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        self.reads += 1
        return await super().get_many(keys)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cache(clock: ManualClock) -> CountingCache:
    return CountingCache(clock)


async def publish(cache: CountingCache, *gateways: tuple[str, str]) -> str:
    epoch = await cache.epoch()
    for gateway_id, boot_id in gateways:
        await Publications(cache).publish(gateway_id=gateway_id, boot_id=boot_id, epoch=epoch)
    return epoch


async def test_who_has_not_published_under_the_epoch_is_named(cache: CountingCache, clock: ManualClock) -> None:
    publications = Publications(cache, clock)
    epoch = await publish(cache, ONE)
    assert await publications.unpublished({ONE, TWO}, epoch) == {TWO}
    assert await publications.unpublished({ONE}, epoch) == frozenset()
    assert await publications.unpublished({ONE, TWO}, "another epoch") == {ONE, TWO}
    assert await publications.unpublished({ONE, TWO}, "") == {ONE, TWO}
    assert await publications.unpublished(set(), epoch) == frozenset()


async def test_another_boot_has_not_published(cache: CountingCache, clock: ManualClock) -> None:
    epoch = await publish(cache, ONE)
    assert await Publications(cache, clock).unpublished({("gw-1", "boot-9")}, epoch) == {("gw-1", "boot-9")}
    assert await Publications(cache, clock).unpublished({("gw-1", "")}, epoch) == frozenset()


async def test_once_all_have_published_nobody_asks_for_a_while(cache: CountingCache, clock: ManualClock) -> None:
    publications = Publications(cache, clock)
    epoch = await publish(cache, ONE)
    for _ in range(10):
        assert not await publications.unpublished({ONE}, epoch)
    assert cache.reads == 1
    clock.advance(16)
    assert not await publications.unpublished({ONE}, epoch)
    assert cache.reads == 2
    assert await publications.unpublished({ONE, TWO}, epoch) == {TWO}, "a new gateway is looked at at once"
    assert cache.reads == 3


async def test_while_somebody_is_missing_it_is_asked_a_few_times_a_second(
    cache: CountingCache, clock: ManualClock
) -> None:
    publications = Publications(cache, clock)
    epoch = await publish(cache, ONE)
    assert await publications.unpublished({ONE, TWO}, epoch) == {TWO}
    await publish(cache, TWO)
    assert await publications.unpublished({ONE, TWO}, epoch) == {TWO}
    clock.advance(0.3)
    assert not await publications.unpublished({ONE, TWO}, epoch)


async def test_a_gateway_that_renews_nothing_is_unpublished_before_its_routes_end(
    cache: CountingCache, clock: ManualClock
) -> None:
    publications = Publications(cache, clock)
    epoch = await publish(cache, ONE)
    assert not await publications.unpublished({ONE}, epoch)
    clock.advance(PUBLISHED_TTL_S + 1)
    assert await publications.unpublished({ONE}, epoch) == {ONE}


async def test_the_living_are_those_that_discovery_lists() -> None:
    discovery = StaticDiscovery([Node("logic", "l", "b", "x:1")], None)  # type: ignore[arg-type]
    async with discovery.register(Node("gateway", "gw-1", "boot-1", "x:2")):
        assert living_gateways(discovery) == {ONE}
    assert living_gateways(discovery) == set()
