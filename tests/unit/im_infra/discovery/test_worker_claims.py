"""A registry that lost everything, and a database that did not."""

import asyncio
from dataclasses import replace

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.discovery import lease_window
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.worker_claims import ClaimedWorkers
from im_infra.errors import ImError
from im_infra.ids.snowflake import MAX_WORKERS, Snowflake
from im_infra.sql.sqlite import SqliteDatabase


class Registry:
    """Gives the lowest id whose time has passed, until it forgets."""

    def __init__(self, clock: ManualClock) -> None:
        self.recorded: dict[int, int] = {}
        self._clock = clock

    async def lease(self, *, above: int) -> WorkerLease:
        now_ms = self._clock.now_ms()
        for worker_id in range(MAX_WORKERS):
            if (floor_time := self.recorded.get(worker_id, 0)) <= now_ms:
                self.recorded[worker_id] = high_time = lease_window.first_high_time(now_ms, above)
                deadline = lease_window.deadline(self._clock.monotonic())
                return WorkerLease(worker_id, max(floor_time, above), high_time, deadline)
        raise ImError(error_table.UNAVAILABLE, "every worker id is taken")

    async def renew(self, lease: WorkerLease) -> WorkerLease:
        if self.recorded.get(lease.worker_id) != lease.high_time:
            raise ImError(error_table.UNAVAILABLE, "lost")
        now_ms, asked_at = self._clock.now_ms(), self._clock.monotonic()
        self.recorded[lease.worker_id] = high_time = lease_window.extended_high_time(lease, now_ms, asked_at)
        return replace(lease, high_time=high_time, deadline=lease_window.deadline(asked_at))


class Held:
    """A lease as a maker of ids sees it."""

    def __init__(self, lease: WorkerLease) -> None:
        self.lease: WorkerLease | None = lease


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def registry(clock: ManualClock) -> Registry:
    return Registry(clock)


@pytest.fixture
def workers(registry: Registry, database: SqliteDatabase, clock: ManualClock) -> ClaimedWorkers:
    return ClaimedWorkers(registry, database, clock)


async def test_an_id_in_use_is_not_given_again_by_a_registry_that_lost_it(
    registry: Registry, workers: ClaimedWorkers, clock: ManualClock
) -> None:
    """The holders learn of the loss a minute later, and make ids until then."""
    held = [await workers.lease(above=0) for _ in range(3)]
    registry.recorded.clear()
    clock.advance(1)
    late = await workers.lease(above=0)
    assert late.worker_id not in {lease.worker_id for lease in held}
    made = [Snowflake(Held(lease), clock).next_ids(100) for lease in (*held, late)]
    assert len({snowflake for ids in made for snowflake in ids}) == 400
    with pytest.raises(ImError, match="lost"):
        await workers.renew(held[0])


async def test_an_id_that_the_registry_lost_is_used_again_above_its_time(
    registry: Registry, workers: ClaimedWorkers, clock: ManualClock
) -> None:
    held = await workers.lease(above=0)
    registry.recorded.clear()
    clock.advance((held.high_time - clock.now_ms()) / 1000)
    again = await workers.lease(above=0)
    assert (again.worker_id, again.floor_time) == (held.worker_id, held.high_time)


async def test_renewing_is_remembered(registry: Registry, workers: ClaimedWorkers, clock: ManualClock) -> None:
    first = await workers.lease(above=0)
    clock.advance(60)
    renewed = await workers.renew(first)
    assert renewed.high_time == first.high_time + 60_000
    registry.recorded.clear()
    clock.advance((first.high_time - clock.now_ms()) / 1000)
    assert (await workers.lease(above=0)).worker_id != first.worker_id
    with pytest.raises(ImError, match="lost"):
        await workers.renew(first)


async def test_what_begins_at_the_same_moment_shares_nothing(registry: Registry, workers: ClaimedWorkers) -> None:
    await workers.lease(above=0)
    registry.recorded.clear()
    leases = await asyncio.gather(*(workers.lease(above=0) for _ in range(8)))
    assert {lease.worker_id for lease in leases} == set(range(1, 9))


async def test_a_database_that_is_away_costs_the_registry_no_ids(
    registry: Registry, database: SqliteDatabase, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = ClaimedWorkers(registry, database, clock)
    held = await workers.lease(above=0)
    before = dict(registry.recorded)

    async def away(*_: object) -> None:
        raise ImError(error_table.UNAVAILABLE, "away")

    with monkeypatch.context() as patch:
        for name in ("check", "read", "write"):
            patch.setattr(database, name, away)
        for _ in range(3):
            with pytest.raises(ImError, match="away"):
                await workers.renew(held)
            with pytest.raises(ImError, match="away"):
                await workers.lease(above=0)
    assert registry.recorded == before
    assert (await workers.renew(held)).worker_id == held.worker_id
