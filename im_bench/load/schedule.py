"""When messages are meant to leave: open loop, whatever the server does.

A schedule is cumulative: arrival `n` has its moment from the start, so that no rounding and no late timer ever loses a
part of the rate. Several generator processes share one: each has its part, and all parts together are the schedule.
"""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

Schedule = Iterator[float]
"""Seconds since the start of each arrival, ascending, without end."""


class Arrivals(StrEnum):
    """How arrivals are spread."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a load one process has."""

    index: int
    count: int

    def share(self, total: int) -> int:
        """How many of so many are this one's, dealt in turn: it has no fewer of a larger total."""
        return len(range(self.index, total, self.count))


def schedule(arrivals: Arrivals, rate_per_s: float, *, ramp_s: float, seed: int, part: Part) -> Schedule:
    """One process's part of a load.

    Args:
        arrivals: how they are spread.
        rate_per_s: of all parts together, after the ramp.
        ramp_s: the rate rises from nothing in so many seconds, linearly.
        seed: the same one gives the same arrivals.
        part: whose.
    """
    if arrivals is Arrivals.POISSON:
        load = poisson(rate_per_s / part.count, seed=seed * part.count + part.index)
        return _ramped(load, ramp_s)
    load = itertools.islice(constant(rate_per_s), part.index, None, part.count)
    return _ramped(load, ramp_s)


def constant(rate_per_s: float) -> Schedule:
    """Evenly spaced."""
    number = 0
    while True:
        yield number / rate_per_s
        number += 1


def poisson(rate_per_s: float, *, seed: int) -> Schedule:
    """A Poisson process; parts of one are Poisson processes of their own."""
    source = random.Random(seed)  # noqa: S311 - reproducible arrivals, no secret
    moment = 0.0
    while True:
        moment += source.expovariate(rate_per_s)
        yield moment


def _ramped(load: Schedule, ramp_s: float) -> Schedule:
    """Stretch the start of a load so that its rate rises linearly from nothing to full within `ramp_s`.

    At full rate the ramp's arrivals would take half as long: moment `u` of the full load becomes `sqrt(2 u ramp)` while
    the ramp lasts, and `u + ramp / 2` after it.
    """
    for moment in load:
        yield math.sqrt(2 * moment * ramp_s) if moment < ramp_s / 2 else moment + ramp_s / 2
