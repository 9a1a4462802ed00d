"""Ids over arbitrary clocks, restarts and lost leases: never twice, never downward, always inside the lease."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from im_infra.clock import ManualClock
from im_infra.discovery import lease_window
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.discovery.worker_row import extend_worker, take_worker
from im_infra.errors import ImError
from im_infra.ids.snowflake import EPOCH_MS, Snowflake, snowflake_time_ms


class Maker:
    """A process that makes ids, with a lease as `StaticDiscovery` gives and renews it."""

    def __init__(self, connection: Connection, clock: ManualClock) -> None:
        self.connection = connection
        self.clock = clock
        self.lease: WorkerLease | None = None
        self.take()
        self.ids = Snowflake(self, clock)
        self.last = -1

    def take(self) -> None:
        now_ms = self.clock.now_ms()
        taken = take_worker(self.connection, now_ms, lease_window.first_high_time(now_ms))
        if taken is not None:
            self.lease = WorkerLease(*taken, deadline=lease_window.deadline(self.clock.monotonic()))

    def renew(self) -> None:
        lease = self.lease
        assert lease is not None
        high_time = lease_window.extended_high_time(lease, self.clock.now_ms(), self.clock.monotonic())
        if extend_worker(self.connection, lease.worker_id, lease.high_time, high_time):
            deadline = lease_window.deadline(self.clock.monotonic())
            self.lease = WorkerLease(lease.worker_id, lease.floor_time, high_time, deadline)
        else:
            self.take()


class Cluster:
    """Three processes over one registry and one (jumping) wall clock."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.clock = ManualClock(now_ms=EPOCH_MS + 10**11)
        self.makers = [Maker(connection, self.clock) for _ in range(3)]
        self.seen: set[int] = set()

    def make(self, which: int, count: int) -> None:
        maker = self.makers[which]
        try:
            made = maker.ids.next_ids(count)
        except ImError:
            return
        lease = maker.lease
        assert lease is not None
        assert made[0] > maker.last, "an id went down"
        assert made == sorted(set(made))
        assert self.seen.isdisjoint(made), "an id was given twice"
        assert {number >> 12 & 1023 for number in made} == {lease.worker_id}
        assert lease.floor_time < snowflake_time_ms(made[0])
        assert snowflake_time_ms(made[-1]) <= lease.high_time
        assert self.clock.monotonic() <= lease.deadline
        self.seen.update(made)
        maker.last = made[-1]

    def restart(self, which: int) -> None:
        """Killed: what it knew of its last id is gone; only the registry remembers."""
        self.makers[which] = Maker(self.connection, self.clock)

    def renew(self, which: int) -> None:
        self.makers[which].renew()

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def jump(self, milliseconds: int) -> None:
        self.clock.jump(milliseconds)


Step = Callable[[Cluster], None]


def steps(method: Callable[..., None], *arguments: tuple[float, ...]) -> list[Step]:
    return [lambda cluster, some=some: method(cluster, *some) for some in arguments]  # type: ignore[misc]


STEPS = [
    *steps(Cluster.make, *((which, count) for which in range(3) for count in (1, 1, 1, 5_000))),
    *steps(Cluster.wait, (0.0001,), (0.001,), (30,), (400,), (700,)),
    *steps(Cluster.jump, (-3_600_000,), (-1,), (600_000,), (3_600_000,)),
    *steps(Cluster.renew, (0,), (1,), (2,)),
    *steps(Cluster.restart, (0,), (1,)),  # the third is never restarted: paused, it becomes a zombie
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), min_size=100, max_size=400))
def test_ids_are_unique_and_ascend_through_jumps_restarts_and_lost_leases(script: list[Step]) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        WORKER_LEASE.create(connection)
        cluster = Cluster(connection)
        for step in script:
            step(cluster)
    engine.dispose()
