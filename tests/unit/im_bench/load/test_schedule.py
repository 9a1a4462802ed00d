"""Arrivals are where they were meant to be, whatever happens meanwhile."""

import heapq
import itertools

import pytest

from im_bench.load.schedule import Arrivals, Part, constant, poisson, schedule


def test_constant_arrivals_are_evenly_spaced() -> None:
    assert list(itertools.islice(constant(4), 4)) == [0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_repeat_with_their_seed_and_keep_the_rate() -> None:
    arrivals = list(itertools.islice(poisson(100, seed=7), 10_000))
    assert arrivals == list(itertools.islice(poisson(100, seed=7), 10_000))
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("ramp_s", [0.0, 2.0])
def test_the_parts_of_a_constant_load_are_the_load(count: int, ramp_s: float) -> None:
    parts = [schedule(Arrivals.CONSTANT, 30, ramp_s=ramp_s, seed=1, part=Part(index, count)) for index in range(count)]
    whole = schedule(Arrivals.CONSTANT, 30, ramp_s=ramp_s, seed=1, part=Part(0, 1))
    together = list(itertools.islice(heapq.merge(*parts), 200))
    assert together == list(itertools.islice(whole, 200))


def test_the_parts_of_a_poisson_load_differ_and_keep_the_rate() -> None:
    parts = [schedule(Arrivals.POISSON, 300, ramp_s=0, seed=5, part=Part(index, 3)) for index in range(3)]
    arrivals = [list(itertools.islice(part, 5_000)) for part in parts]
    assert len({tuple(each[:10]) for each in arrivals}) == 3
    assert all(each[-1] == pytest.approx(50, rel=0.05) for each in arrivals)


def test_a_ramp_rises_linearly_and_ends_at_full_rate() -> None:
    arrivals = list(itertools.islice(schedule(Arrivals.CONSTANT, 100, ramp_s=4, seed=1, part=Part(0, 1)), 1_000))

    def count(start: float, end: float) -> int:
        return sum(start <= moment < end for moment in arrivals)

    assert count(0, 4) == pytest.approx(200, abs=2), "half of what the full rate would be"
    assert count(0, 2) == pytest.approx(50, abs=2), "a quarter of it in the first half"
    assert count(4, 6) == pytest.approx(200, abs=2)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_are_the_whole_and_never_smaller_of_more(count: int) -> None:
    parts = [Part(index, count) for index in range(count)]
    for total in range(12):
        assert sum(part.share(total) for part in parts) == total
        assert all(part.share(total) <= part.share(total + 1) for part in parts)
