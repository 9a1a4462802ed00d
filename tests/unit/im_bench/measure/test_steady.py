"""A steady state is found where there is one, and nowhere else."""

import random

from im_bench.measure.steady import MeasuredSecond, find_steady


def seconds(*latencies: float, acked: float = 100.0) -> list[MeasuredSecond]:
    return [MeasuredSecond(100.0, acked, latency) for latency in latencies]


def noisy(level: float, count: int) -> list[float]:
    source = random.Random(3)
    return [level * source.uniform(0.9, 1.1) for _ in range(count)]


def test_noise_is_steady_from_the_start() -> None:
    found = find_steady(seconds(*noisy(5, 30)), closed=False)
    assert found.steady
    assert found.from_s is not None
    assert found.from_s <= 15


def test_a_warm_up_within_the_measured_seconds_is_cut_off() -> None:
    found = find_steady(seconds(80, 40, 20, 10, *noisy(5, 26)), closed=False)
    assert found.steady
    assert found.from_s is not None
    assert 3 <= found.from_s <= 10


def test_a_latency_that_grows_is_no_steady_state() -> None:
    found = find_steady(seconds(*(10.0 * number for number in range(1, 31))), closed=False)
    assert not found.steady
    assert "grew" in found.reason


def test_a_server_that_falls_behind_is_not_steady_unless_it_sets_the_pace() -> None:
    behind = seconds(*noisy(5, 30), acked=80)
    assert "80%" in find_steady(behind, closed=False).reason
    assert find_steady(behind, closed=True).steady


def test_fractions_of_milliseconds_are_noise() -> None:
    assert find_steady(seconds(*[0.3] * 20, *[0.9] * 10), closed=False).steady


def test_too_few_seconds_tell_nothing() -> None:
    found = find_steady(seconds(1, 1, 1), closed=False)
    assert (found.steady, found.from_s) == (False, None)
    assert "too few" in found.reason
