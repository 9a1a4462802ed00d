from im_infra.clock import ManualClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.sql.sqlite import SqliteDatabase

LISTED = Node("repo", "repo-1", "", "10.0.0.1:9000")


async def test_listed_nodes_are_there_from_the_start(database: SqliteDatabase, clock: ManualClock) -> None:
    discovery = StaticDiscovery([LISTED], database, clock)
    assert discovery.nodes("repo") == {"repo-1": LISTED}
    assert discovery.nodes("logic") == {}


async def test_a_registered_node_stands_before_a_listed_one_of_its_name(
    database: SqliteDatabase, clock: ManualClock
) -> None:
    discovery = StaticDiscovery([LISTED], database, clock)
    own = Node("repo", "repo-1", "boot", "in-process:repo")
    async with discovery.register(own):
        assert discovery.nodes("repo") == {"repo-1": own}
    assert discovery.nodes("repo") == {"repo-1": LISTED}


async def test_a_view_is_not_changed_afterwards(database: SqliteDatabase, clock: ManualClock) -> None:
    discovery = StaticDiscovery([], database, clock)
    view = discovery.nodes("repo")
    async with discovery.register(LISTED):
        assert view == {}


async def test_after_a_restart_another_worker_id_is_taken(database: SqliteDatabase, clock: ManualClock) -> None:
    first = await StaticDiscovery([], database, clock).lease_worker()
    clock.advance(1)
    second = await StaticDiscovery([], database, clock).lease_worker()
    assert (first.worker_id, second.worker_id) == (0, 1)


async def test_the_deadline_is_two_thirds_of_a_lease_from_asking(database: SqliteDatabase, clock: ManualClock) -> None:
    lease = await StaticDiscovery([], database, clock).lease_worker()
    assert lease.deadline == clock.monotonic() + 600
    assert lease.high_time == clock.now_ms() + 900_000
