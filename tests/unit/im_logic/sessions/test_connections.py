"""A user's connections over the route table."""

from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.routing import RouteTable
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import ConnectionKey, LiveConnection

ONE = LiveConnection(ConnectionKey("g1", "b1", 1), 10, "device-01", "tab", 4)
OTHER = LiveConnection(ConnectionKey("g2", "b2", 2), 11, "device-02", "app", 1)


async def test_connections_come_back_in_the_order_they_came(clock: ManualClock) -> None:
    connections = Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)
    for connection in (ONE, OTHER):
        after = await connections.change(7, lambda present, connection=connection: [*present, connection])  # type: ignore[misc]
    assert after == await connections.find(7) == [ONE, OTHER]
    assert await connections.find(8) == []


async def test_one_is_removed_by_its_whole_key(clock: ManualClock) -> None:
    connections = Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)
    await connections.change(7, lambda _: [ONE])
    await connections.remove(7, ONE.key._replace(boot_id="another"))
    assert await connections.find(7) == [ONE]
    await connections.remove(7, ONE.key)
    assert await connections.find(7) == []


async def test_a_gateway_that_started_again_has_none_of_its_earlier_ones(clock: ManualClock) -> None:
    boots = {"g1": "b1"}
    connections = Connections(RouteTable(MemoryCache(clock), clock), boots.get)
    await connections.change(7, lambda _: [ONE, OTHER])
    boots["g1"] = "b9"
    assert await connections.find(7) == [OTHER], "an unknown gateway counts as alive"
    assert await connections.change(7, lambda present: present) == [OTHER]


async def test_a_kept_route_keeps_its_time_to_live(clock: ManualClock) -> None:
    connections = Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)
    await connections.change(7, lambda _: [ONE])
    clock.advance(100)
    await connections.change(7, lambda present: [*present, OTHER])
    clock.advance(100)
    assert await connections.find(7) == [OTHER]
