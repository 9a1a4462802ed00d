"""Whether a run was steady: figures of a run that still warmed up, or fell behind, describe no state of the server.

Two questions, asked of the measured seconds. From where on is the median latency steady: the MSER rule (White 1997) cuts
off as many seconds at the beginning as make the standard error of the rest's mean smallest, at most half of them. And
does the server keep up: what was acked in the last third is what was offered in it, and its latency is not above that of
the third before by more than noise explains.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEAST_SECONDS: Final = 6
"""Of fewer nothing can be said."""
KEEPS_UP: Final = 0.97
"""Acked of offered, in the last third."""
GROWTH: Final = 1.5
"""The last third's median latency over the middle third's; below twofold, above what neighbouring thirds differ by."""
GROWTH_MS: Final = 2.0
"""Growth below this is that of a quiet machine's fractions of milliseconds."""


@dataclass(frozen=True, slots=True)
class MeasuredSecond:
    """What is asked of a second."""

    offered_per_s: float
    acked_per_s: float
    latency_ms: float | None
    """The median of what the run is about."""


@dataclass(frozen=True, slots=True)
class Steady:
    """What was found."""

    steady: bool
    from_s: float | None
    """Seconds into the measured window from which on it was steady; None when it never was."""
    reason: str
    """Why not; empty when it was."""


def find_steady(seconds: Sequence[MeasuredSecond], *, closed: bool) -> Steady:
    """Look for the steady state among the measured seconds.

    Args:
        seconds: in order.
        closed: the server set the pace: then it cannot fall behind.
    """
    if len(seconds) < LEAST_SECONDS:
        return Steady(steady=False, from_s=None, reason=f"{len(seconds)} seconds are too few to tell")
    third = len(seconds) // 3
    last = seconds[-third:]
    offered, acked = sum(one.offered_per_s for one in last), sum(one.acked_per_s for one in last)
    if not closed and acked < KEEPS_UP * offered:
        return Steady(
            steady=False, from_s=None, reason=f"in the last third {acked / offered:.0%} of what was offered was acked"
        )
    middle_ms, last_ms = _median(seconds[-2 * third : -third]), _median(last)
    if middle_ms is not None and last_ms is not None and last_ms > max(GROWTH * middle_ms, middle_ms + GROWTH_MS):
        return Steady(
            steady=False, from_s=None, reason=f"latency still grew: {middle_ms:.1f} ms, then {last_ms:.1f} ms (median)"
        )
    return Steady(steady=True, from_s=float(_truncated([one.latency_ms or 0.0 for one in seconds])), reason="")


def _median(seconds: Sequence[MeasuredSecond]) -> float | None:
    told = [one.latency_ms for one in seconds if one.latency_ms is not None]
    return statistics.median(told) if told else None


def _truncated(values: Sequence[float]) -> int:
    """How many values to leave out at the beginning: the MSER rule."""

    def error(skipped: int) -> float:
        rest = values[skipped:]
        return statistics.pvariance(rest) / len(rest)

    return min(range(len(values) // 2 + 1), key=error)
