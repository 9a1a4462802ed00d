"""How long to wait before trying again."""

import random

HEALTHY_S = 2.0
"""After a healthy connection the first try comes within so many seconds: a node that stops sends thousands at once."""
LIMIT_S = 30.0
_EXPONENT_LIMIT = 5


def reconnect_delay(
    failures: int, source: random.Random, *, away_s: float = float("inf"), at_least_s: float = 0
) -> float:
    """Seconds to the next connect, with full jitter.

    Never longer than the connection has been away already: a few short draws use up tries, and a server that was down for
    three seconds would be waited for another sixteen.

    Args:
        failures: tries that failed since the last healthy connection; 0: that one has just ended.
        source: the jitter's randomness.
        away_s: seconds since the last healthy connection, or since the first try.
        at_least_s: what the server asked for; the jitter comes on top.
    """
    ceiling = HEALTHY_S
    if failures:
        ceiling = min(LIMIT_S, 2.0 ** min(failures, _EXPONENT_LIMIT), max(HEALTHY_S, away_s))
    return at_least_s + source.uniform(0, ceiling)


def repeat_delay(attempt: int, source: random.Random, *, at_least_s: float = 0) -> float:
    """Seconds before a request is repeated on a live connection: 0.2 s, doubling to 10 s, half of it jitter.

    Args:
        attempt: how many tries there were, from 1.
        source: the jitter's randomness.
        at_least_s: the server's `retry_after_ms`, in seconds.
    """
    ceiling = min(10.0, 0.2 * 2.0 ** min(attempt - 1, 6))
    return max(at_least_s, 0) + source.uniform(ceiling / 2, ceiling)


def around(interval_s: float, source: random.Random) -> float:
    """`interval_s` ± 20 %, so that clients that started together do not stay together."""
    return interval_s * source.uniform(0.8, 1.2)
