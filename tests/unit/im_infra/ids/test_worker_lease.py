import asyncio
from collections.abc import Callable

import pytest

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.clock import ManualClock
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.static import StaticDiscovery
from im_infra.errors import ImError
from im_infra.ids import Snowflake, WorkerLeaseKeeper
from im_infra.ids.snowflake import snowflake_time_ms
from im_infra.sql.sqlite import SqliteDatabase


class Registry(StaticDiscovery):
    """A registry that can be away."""

    away = False
    lost = False

    async def lease_worker(self, *, above: int = 0) -> WorkerLease:
        self._answer()
        return await super().lease_worker(above=above)

    async def renew_worker(self, lease: WorkerLease) -> WorkerLease:
        self._answer()
        if self.lost:
            raise ImError(error_table.UNAVAILABLE, "lost")
        return await super().renew_worker(lease)

    def _answer(self) -> None:
        if self.away:
            raise ImError(error_table.UNAVAILABLE, "away")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture
def registry(database: SqliteDatabase, clock: ManualClock) -> Registry:
    return Registry([], database, clock)


@pytest.fixture
def keeper(registry: Registry, clock: ManualClock) -> WorkerLeaseKeeper:
    return WorkerLeaseKeeper(registry, clock, renew_interval_s=0.005, retry_interval_s=0.005)


async def test_there_is_no_lease_before_it_is_acquired(keeper: WorkerLeaseKeeper) -> None:
    assert keeper.lease is None
    with pytest.raises(ImError):
        await keeper.check()


async def test_acquired_it_gives_ids(keeper: WorkerLeaseKeeper, clock: ManualClock) -> None:
    await keeper.acquire()
    await keeper.check()
    assert Snowflake(keeper, clock).next_id() > 0


async def test_ids_lie_above_what_was_asked_for_also_after_the_first_lease_is_lost(
    keeper: WorkerLeaseKeeper, registry: Registry, clock: ManualClock
) -> None:
    above = clock.now_ms() + 3_600_000
    first = await keeper.acquire(above=above)
    ids = Snowflake(keeper, clock)
    assert snowflake_time_ms(ids.next_id()) > above
    registry.lost = True
    running = spawn(keeper.run(), name="test.keeper")
    await until(lambda: keeper.lease and keeper.lease.worker_id != first.worker_id)
    running.cancel()
    assert snowflake_time_ms(Snowflake(keeper, clock).next_id()) > above


async def test_acquiring_twice_takes_one(keeper: WorkerLeaseKeeper) -> None:
    assert await keeper.acquire() == await keeper.acquire()


async def test_acquiring_fails_while_the_registry_is_away(keeper: WorkerLeaseKeeper, registry: Registry) -> None:
    registry.away = True
    with pytest.raises(ImError, match="away"):
        await keeper.acquire()


async def test_running_renews_the_same_worker_id(keeper: WorkerLeaseKeeper, clock: ManualClock) -> None:
    first = await keeper.acquire()
    clock.advance(60)
    running = spawn(keeper.run(), name="test.keeper")
    await until(lambda: keeper.lease and keeper.lease.high_time > first.high_time)
    running.cancel()
    assert keeper.lease is not None
    assert keeper.lease.worker_id == first.worker_id


async def test_running_takes_the_first_lease_too(keeper: WorkerLeaseKeeper) -> None:
    running = spawn(keeper.run(), name="test.keeper")
    await until(lambda: keeper.lease)
    running.cancel()


async def test_a_lost_lease_is_replaced(keeper: WorkerLeaseKeeper, registry: Registry) -> None:
    first = await keeper.acquire()
    registry.lost = True
    running = spawn(keeper.run(), name="test.keeper")
    await until(lambda: keeper.lease and keeper.lease.worker_id != first.worker_id)
    running.cancel()


async def test_a_registry_that_was_away_is_asked_again(
    keeper: WorkerLeaseKeeper, registry: Registry, clock: ManualClock
) -> None:
    await keeper.acquire()
    registry.away = True
    running = spawn(keeper.run(), name="test.keeper")
    clock.advance(601)
    with pytest.raises(ImError):
        Snowflake(keeper, clock).next_id()
    registry.away = False
    await until(lambda: keeper.lease and keeper.lease.deadline > clock.monotonic())
    running.cancel()
    Snowflake(keeper, clock).next_id()
