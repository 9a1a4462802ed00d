"""When messages are meant to leave: open loop, whatever the server does."""

import random
from collections.abc import Iterator


def constant(rate_per_s: float) -> Iterator[float]:
    """Seconds since the start of each arrival, evenly spaced."""
    number = 0
    while True:
        yield number / rate_per_s
        number += 1


def poisson(rate_per_s: float, *, seed: int) -> Iterator[float]:
    """Seconds since the start of each arrival of a Poisson process; the same seed gives the same arrivals."""
    source = random.Random(seed)  # noqa: S311 - reproducible arrivals, no secret
    moment = 0.0
    while True:
        moment += source.expovariate(rate_per_s)
        yield moment
