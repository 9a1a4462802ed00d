"""Ids over arbitrary clocks, restarts and lost leases: never twice, never downward."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, create_engine

from im_infra.clock import ManualClock
from im_infra.discovery import lease_window
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.tables import WORKER_LEASE
from im_infra.discovery.worker_row import extend_worker, take_worker
from im_infra.errors import ImError
from im_infra.ids.snowflake import EPOCH_MS, Snowflake


class Maker:
    """A process that makes ids, with its lease as `StaticDiscovery` gives and renews them."""

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
        if lease is None:
            return
        high_time = lease_window.extended_high_time(lease, self.clock.now_ms(), self.clock.monotonic())
        if extend_worker(self.connection, lease.worker_id, lease.high_time, high_time):
            deadline = lease_window.deadline(self.clock.monotonic())
            self.lease = WorkerLease(lease.worker_id, lease.floor_time, high_time, deadline)
        else:
            self.take()


class Cluster(RuleBasedStateMachine):
    """Some processes over one registry and one (jumping) wall clock."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        self.connection = self.engine.connect()
        WORKER_LEASE.create(self.connection)
        self.clock = ManualClock(now_ms=EPOCH_MS + 10**11)
        self.makers: deque[Maker] = deque(maxlen=3)
        self.seen: set[int] = set()
        self.makers.append(Maker(self.connection, self.clock))

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    @rule(which=st.integers(0, 2), count=st.sampled_from([1, 2, 100, 4_095, 4_096, 9_000]))
    def make(self, which: int, count: int) -> None:
        maker = self.makers[which % len(self.makers)]
        try:
            made = maker.ids.next_ids(count)
        except ImError:
            return
        assert made[0] > maker.last, "an id went down"
        assert made == sorted(set(made))
        assert self.seen.isdisjoint(made), "an id was given twice"
        lease = maker.lease
        assert lease is not None
        assert {number >> 12 & 1023 for number in made} == {lease.worker_id}
        assert lease.floor_time < (made[0] >> 22) + EPOCH_MS
        assert (made[-1] >> 22) + EPOCH_MS <= lease.high_time
        self.seen.update(made)
        maker.last = made[-1]

    @rule(seconds=st.floats(0, 1_000))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(milliseconds=st.sampled_from([-86_400_000, -3_600_000, -10_000, -1_000, -1, 1, 1_000, 600_000, 3_600_000]))
    def clock_jumps(self, milliseconds: int) -> None:
        self.clock.jump(milliseconds)

    @rule(which=st.integers(0, 2))
    def renew(self, which: int) -> None:
        self.makers[which % len(self.makers)].renew()

    @rule()
    def start_another(self) -> None:
        """The oldest of three is a zombie that is heard no more."""
        self.makers.append(Maker(self.connection, self.clock))

    @precondition(lambda self: len(self.makers) > 0)
    @rule(which=st.integers(0, 2))
    def restart(self, which: int) -> None:
        """Killed: what it knew of its last id is gone; only the registry remembers."""
        self.makers[which % len(self.makers)] = Maker(self.connection, self.clock)

    @invariant()
    def living_leases_have_ids_of_their_own(self) -> None:
        held = [maker.lease.worker_id for maker in self.makers if maker.lease and self._current(maker.lease)]
        assert len(set(held)) == len(held)

    def _current(self, lease: WorkerLease) -> bool:
        """It is the registry's newest for this worker id."""
        row = self.connection.execute(WORKER_LEASE.select().where(WORKER_LEASE.c.worker_id == lease.worker_id)).one()
        return bool(row.high_time == lease.high_time)


Cluster.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSnowflake = Cluster.TestCase
