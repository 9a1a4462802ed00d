import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.discovery.abstract import WorkerLease
from im_infra.errors import ImError
from im_infra.ids import Snowflake
from im_infra.ids.snowflake import EPOCH_MS, snowflake_time_ms

WINDOW_MS = 900_000


class Holder:
    """Holds whatever lease a test gives it."""

    def __init__(self, lease: WorkerLease | None) -> None:
        self.lease = lease


def lease(clock: ManualClock, *, worker_id: int = 0, floor_time: int = 0) -> WorkerLease:
    return WorkerLease(worker_id, floor_time, clock.now_ms() + WINDOW_MS, clock.monotonic() + 600)


def parts(snowflake: int) -> tuple[int, int, int]:
    """Time, worker and sequence."""
    return snowflake_time_ms(snowflake), snowflake >> 12 & 1023, snowflake & 4095


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ms=EPOCH_MS + 1_000_000_000)


def test_time_worker_and_sequence_are_in_the_id(clock: ManualClock) -> None:
    ids = Snowflake(Holder(lease(clock, worker_id=5)), clock)
    assert parts(ids.next_id()) == (clock.now_ms(), 5, 0)
    assert parts(ids.next_id()) == (clock.now_ms(), 5, 1)
    clock.advance(0.001)
    assert parts(ids.next_id()) == (clock.now_ms(), 5, 0)


def test_many_at_once_are_as_many_one_by_one(clock: ManualClock) -> None:
    at_once = Snowflake(Holder(lease(clock)), clock).next_ids(10_000)
    one_by_one = Snowflake(Holder(lease(clock)), clock)
    assert at_once == [one_by_one.next_id() for _ in range(10_000)]


def test_a_full_millisecond_goes_on_in_the_next_without_waiting(clock: ManualClock) -> None:
    made = Snowflake(Holder(lease(clock)), clock).next_ids(4_097)
    assert parts(made[4_095]) == (clock.now_ms(), 0, 4_095)
    assert parts(made[4_096]) == (clock.now_ms() + 1, 0, 0)


def test_none_asked_for_none_given(clock: ManualClock) -> None:
    assert Snowflake(Holder(lease(clock)), clock).next_ids(0) == []


def test_a_clock_that_goes_back_is_not_followed(clock: ManualClock) -> None:
    ids = Snowflake(Holder(lease(clock)), clock)
    first_time = snowflake_time_ms(ids.next_id())
    clock.jump(-3_600_000)
    clock.advance(2)
    assert snowflake_time_ms(ids.next_id()) == first_time + 2_000


def test_a_clock_that_leaps_out_of_the_window_is_not_followed(clock: ManualClock) -> None:
    ids = Snowflake(Holder(lease(clock)), clock)
    first_time = snowflake_time_ms(ids.next_id())
    clock.jump(3_600_000)
    clock.advance(2)
    assert snowflake_time_ms(ids.next_id()) == first_time + 2_000


def test_a_clock_that_moves_on_inside_the_window_is_followed(clock: ManualClock) -> None:
    ids = Snowflake(Holder(lease(clock)), clock)
    ids.next_id()
    clock.jump(60_000)
    assert snowflake_time_ms(ids.next_id()) == clock.now_ms()


def test_nothing_at_or_below_the_floor(clock: ManualClock) -> None:
    floor_time = clock.now_ms() + 5_000
    ids = Snowflake(Holder(lease(clock, floor_time=floor_time)), clock)
    assert parts(ids.next_id()) == (floor_time + 1, 0, 0)


@pytest.mark.parametrize("worker_id", [0, 9])
def test_another_worker_id_continues_above(clock: ManualClock, worker_id: int) -> None:
    holder = Holder(lease(clock, worker_id=5))
    ids = Snowflake(holder, clock)
    before = ids.next_id()
    holder.lease = lease(clock, worker_id=worker_id)
    assert ids.next_id() > before


def test_without_a_lease_there_are_no_ids(clock: ManualClock) -> None:
    with pytest.raises(ImError) as caught:
        Snowflake(Holder(None), clock).next_id()
    assert caught.value.reason is error_table.UNAVAILABLE


def test_past_the_deadline_there_are_no_ids_until_it_is_renewed(clock: ManualClock) -> None:
    holder = Holder(lease(clock))
    ids = Snowflake(holder, clock)
    before = ids.next_id()
    clock.advance(600.1)
    with pytest.raises(ImError):
        ids.next_id()
    holder.lease = lease(clock)
    assert ids.next_id() > before


def test_past_the_window_there_are_no_ids_and_nothing_is_used_up(clock: ManualClock) -> None:
    holder = Holder(WorkerLease(0, 0, clock.now_ms(), clock.monotonic() + 600))
    ids = Snowflake(holder, clock)
    with pytest.raises(ImError):
        ids.next_ids(5_000)
    assert parts(ids.next_id()) == (clock.now_ms(), 0, 0)


def test_before_2025_there_are_no_ids() -> None:
    clock = ManualClock(now_ms=1_000)
    with pytest.raises(ImError):
        Snowflake(Holder(lease(clock)), clock).next_id()
