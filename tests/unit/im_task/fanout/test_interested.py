import pytest

from im_infra import error_table
from im_infra.cache.abstract import Reading
from im_infra.cache.memory import MemoryCache
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.errors import ImError
from im_infra.routing import InterestTable, Publications
from im_task.fanout.interested import InterestedGateways

NODES = [Node("gateway", f"gw-{number}", f"boot-{number}", "x:1") for number in (1, 2, 3)]


class Bench:
    def __init__(self) -> None:
        self.cache = MemoryCache()
        self.table = InterestTable(self.cache)
        discovery = StaticDiscovery(NODES, None)  # type: ignore[arg-type]
        self.interested = InterestedGateways(self.table, Publications(self.cache), discovery)

    async def publish(self, *numbers: int) -> None:
        epoch = await self.cache.epoch()
        for number in numbers:
            await Publications(self.cache).publish(gateway_id=f"gw-{number}", boot_id=f"boot-{number}", epoch=epoch)

    async def announce(self, *numbers: int) -> None:
        for number in numbers:
            await self.table.announce(5, gateway_id=f"gw-{number}", boot_id=f"boot-{number}")

    async def found(self) -> list[tuple[str, str]]:
        return [(one.gateway_id, one.boot_id) for one in await self.interested.find(5)]


async def test_the_interested_are_found() -> None:
    bench = Bench()
    await bench.publish(1, 2, 3)
    await bench.announce(2)
    assert await bench.found() == [("gw-2", "boot-2")]


async def test_after_a_loss_those_that_have_not_published_again_are_among_them() -> None:
    bench = Bench()
    await bench.publish(1, 2, 3)
    bench.cache.clear()
    await bench.publish(3)
    await bench.announce(2, 3)
    assert await bench.found() == [("gw-2", "boot-2"), ("gw-3", "boot-3"), ("gw-1", "boot-1")]


async def test_without_the_cache_all_are(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    async def away(_: object) -> Reading:
        raise ImError(error_table.UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(bench.cache, "read", away)
        assert sorted(await bench.found()) == [(node.node_id, node.boot_id) for node in NODES]
    await bench.publish(1, 2, 3)
    assert await bench.found() == []
