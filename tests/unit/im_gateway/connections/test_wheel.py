"""The timing wheel."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.connections.wheel import Wheel
from im_infra.clock import ManualClock


class Thing:
    def __init__(self) -> None:
        self.slot = -1


def test_a_thing_is_seen_in_the_second_after_it_is_due() -> None:
    clock = ManualClock()
    wheel: Wheel[Thing] = Wheel(clock.monotonic())
    thing = Thing()
    wheel.put(thing, clock.monotonic() + 4.5)
    clock.advance(4.4)
    assert list(wheel.turn(clock.monotonic())) == []
    clock.advance(0.7)
    assert list(wheel.turn(clock.monotonic())) == [thing]
    assert (thing.slot, len(wheel)) == (-1, 0)


def test_putting_it_again_moves_it() -> None:
    wheel: Wheel[Thing] = Wheel(0.0)
    thing = Thing()
    wheel.put(thing, 100.0)
    wheel.put(thing, 2.0)
    assert len(wheel) == 1
    assert list(wheel.turn(3.0)) == [thing]


def test_what_was_taken_off_is_not_seen() -> None:
    wheel: Wheel[Thing] = Wheel(0.0)
    thing = Thing()
    wheel.put(thing, 2.0)
    wheel.remove(thing)
    wheel.remove(thing)
    assert list(wheel.turn(10.0)) == []


def test_beyond_its_span_it_is_seen_early_never_late() -> None:
    wheel: Wheel[Thing] = Wheel(0.0, slots=8)
    thing = Thing()
    wheel.put(thing, 1000.0)
    assert list(wheel.turn(7.0)) == [thing]


def test_a_loop_that_stood_still_sees_everything_once() -> None:
    wheel: Wheel[Thing] = Wheel(0.0, slots=8)
    things = [Thing() for _ in range(7)]
    for number, thing in enumerate(things):
        wheel.put(thing, float(number))
    assert set(wheel.turn(500.0)) == set(things)


@given(st.lists(st.floats(0, 200), max_size=30), st.lists(st.floats(0.1, 20), max_size=60))
def test_nothing_is_seen_before_it_is_due_within_the_span(dues: list[float], steps: list[float]) -> None:
    wheel: Wheel[Thing] = Wheel(0.0, slots=256)
    pending = {}
    for due in dues:
        thing = Thing()
        wheel.put(thing, due)
        pending[thing] = due
    now = 0.0
    for step in steps:
        now += step
        for thing in wheel.turn(now):
            assert pending.pop(thing) <= now
        assert all(due > now - 1 for due in pending.values())
