"""Arrivals are where they were meant to be, whatever happens meanwhile."""

import itertools

import pytest

from im_bench.schedule import constant, poisson


def test_constant_arrivals_are_evenly_spaced() -> None:
    assert list(itertools.islice(constant(4), 4)) == [0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_repeat_with_their_seed_and_keep_the_rate() -> None:
    arrivals = list(itertools.islice(poisson(100, seed=7), 10_000))
    assert arrivals == list(itertools.islice(poisson(100, seed=7), 10_000))
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] == pytest.approx(100, rel=0.05)
