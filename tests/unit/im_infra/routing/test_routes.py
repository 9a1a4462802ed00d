import asyncio

import pytest

from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.routing import RouteTable
from im_proto.route.v1.route_pb2 import Route


@pytest.fixture
def table(clock: ManualClock) -> RouteTable:
    return RouteTable(MemoryCache(clock), clock)


def route(connection_id: int, *, gateway_id: str = "g1", boot_id: str = "b1") -> Route:
    return Route(connection_id=connection_id, gateway_id=gateway_id, boot_id=boot_id, device_id="d")


async def add(table: RouteTable, user_id: int, *routes: Route) -> None:
    await table.change(user_id, lambda present: [*present, *routes])


async def connections(table: RouteTable, user_id: int) -> list[int]:
    found = await table.find_many([user_id])
    return [route.connection_id for route in found.get(user_id, [])]


async def test_users_without_routes_are_absent(table: RouteTable) -> None:
    await add(table, 7, route(1))
    found = await table.find_many([6, 7, 8])
    assert {user_id: [route.connection_id for route in routes] for user_id, routes in found.items()} == {7: [1]}
    assert await table.find_many([]) == {}


async def test_changing_tells_before_and_after(table: RouteTable) -> None:
    await add(table, 7, route(1))
    before, after = await table.change(7, lambda present: [*present, route(2)])
    assert [r.connection_id for r in before] == [1]
    assert [r.connection_id for r in after] == [1, 2]


async def test_a_new_route_lives_180_s_unless_it_says_otherwise(table: RouteTable, clock: ManualClock) -> None:
    brief = route(2)
    brief.expire_time = clock.now_ms() + 10_000
    await add(table, 7, route(1), brief)
    clock.advance(11)
    assert await connections(table, 7) == [1]
    clock.advance(170)
    assert await connections(table, 7) == []


async def test_the_expired_are_unseen_by_rules_and_dropped(table: RouteTable, clock: ManualClock) -> None:
    await add(table, 7, route(1))
    clock.advance(100)
    await add(table, 7, route(2))
    clock.advance(100)
    before, after = await table.change(7, lambda present: present)
    assert [r.connection_id for r in before] == [r.connection_id for r in after] == [2]


async def test_changes_at_the_same_time_are_all_kept(table: RouteTable) -> None:
    await asyncio.gather(*(add(table, 7, route(number)) for number in range(1, 11)))
    assert sorted(await connections(table, 7)) == list(range(1, 11))


async def test_removing_takes_exactly_that_connection(table: RouteTable) -> None:
    await add(table, 7, route(1), route(1, gateway_id="g2"), route(1, boot_id="b2"), route(2))
    await table.remove(7, connection_id=1, gateway_id="g1", boot_id="b1")
    found = await table.find_many([7])
    assert [(r.connection_id, r.gateway_id, r.boot_id) for r in found[7]] == [
        (1, "g2", "b1"),
        (1, "g1", "b2"),
        (2, "g1", "b1"),
    ]


async def test_removing_the_last_leaves_nothing(table: RouteTable) -> None:
    await add(table, 7, route(1))
    await table.remove(7, connection_id=1, gateway_id="g1", boot_id="b1")
    await table.remove(7, connection_id=1, gateway_id="g1", boot_id="b1")
    assert await table.find_many([7]) == {}


async def test_a_renewal_extends_what_is_there(table: RouteTable, clock: ManualClock) -> None:
    await add(table, 7, route(1))
    for _ in range(5):
        clock.advance(60)
        await table.renew({7: [route(1)]})
    assert await connections(table, 7) == [1]


async def test_a_renewal_extends_routes_as_they_were_read(table: RouteTable, clock: ManualClock) -> None:
    await add(table, 7, route(1))
    stored = (await table.find_many([7]))[7]
    clock.advance(120)
    await table.renew({7: stored})
    clock.advance(120)
    assert await connections(table, 7) == [1]


async def test_a_renewal_puts_back_what_was_lost(clock: ManualClock) -> None:
    cache = MemoryCache(clock)
    table = RouteTable(cache, clock)
    routes = {user_id: [route(user_id)] for user_id in range(1, 451)}
    await table.renew(routes)
    cache.clear()
    await table.renew(routes)
    assert len(await table.find_many(list(routes))) == 450


async def test_a_renewal_leaves_other_gateways_and_newer_connections_alone(table: RouteTable) -> None:
    await add(table, 7, route(1, gateway_id="g2"), route(1), route(2))
    await table.renew({7: [route(1)]})
    found = await table.find_many([7])
    assert [(r.gateway_id, r.connection_id) for r in found[7]] == [("g2", 1), ("g1", 1), ("g1", 2)]


async def test_a_renewal_drops_routes_of_an_earlier_boot(table: RouteTable) -> None:
    await add(table, 7, route(1, boot_id="b0"), route(9, gateway_id="g2", boot_id="b0"))
    await table.renew({7: [route(2)]})
    found = await table.find_many([7])
    assert [(r.gateway_id, r.boot_id) for r in found[7]] == [("g2", "b0"), ("g1", "b1")]
