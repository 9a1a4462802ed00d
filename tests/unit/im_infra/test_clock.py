import time

import pytest

from im_infra.clock import ManualClock, SystemClock


def test_the_system_clock_is_the_machines_time() -> None:
    clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 1_000
    assert abs(clock.monotonic() - time.monotonic()) < 1


def test_advancing_moves_both_clocks() -> None:
    clock = ManualClock(now_ms=5_000, monotonic=10.0)
    clock.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (6_500, 11.5)


def test_a_jump_moves_the_wall_clock_alone() -> None:
    clock = ManualClock(now_ms=5_000, monotonic=10.0)
    clock.jump(-2_000)
    assert (clock.now_ms(), clock.monotonic()) == (3_000, 10.0)


def test_time_does_not_pass_backward() -> None:
    with pytest.raises(AssertionError):
        ManualClock().advance(-1)
