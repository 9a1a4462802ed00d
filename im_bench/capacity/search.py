"""Finds the highest rate that a server sustains: raise until it breaks, then halve the distance. Rules only.

A rate breaks when it broke twice in a row: one hiccup of the machine says nothing of the server.
"""

from dataclasses import dataclass

from im_bench.report.expectations import main_latency
from im_bench.report.judge import generator_bound
from im_bench.report.keeping_up import keeps_up
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where to look.

    Args:
        least: the first rate.
        most: no rate above it.
        precision: stop when the lowest rate that broke is within so much of the highest that held: 0.1 is a tenth.
    """

    least: float
    most: float
    precision: float


class Search:
    """Proposes rates and takes in how each went."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.held: float | None = None
        """The highest rate that was sustained."""
        self.broke: float | None = None
        """The lowest one that was not."""
        self._doubted: float | None = None

    def next_rate(self) -> float | None:
        """The rate to try; None: the search is over."""
        bounds, held, broke = self._bounds, self.held, self.broke
        if self._doubted is not None:
            return self._doubted
        if held is None and broke is None:
            return bounds.least
        if held is None:
            assert broke is not None, "one of them is known"
            return None if broke <= bounds.least / 8 else broke / 2  # even the first was too much: go down, a few times
        if broke is None:
            return None if held >= bounds.most else min(held * 2, bounds.most)
        return None if broke <= held * (1 + bounds.precision) else (held + broke) / 2

    @property
    def end(self) -> str:
        """Why there is no next rate."""
        if self.broke is None:
            return f"{self._bounds.most:,.10g}/s is as high as was looked"
        if self.held is None:
            return f"even {self.broke:,.10g}/s broke"
        return "the precision is reached"

    def tell(self, rate: float, *, sustained: bool) -> None:
        """How a rate went."""
        if not sustained and self._doubted is None:
            self._doubted = rate
            return
        self._doubted = None
        if sustained:
            self.held = rate if self.held is None else max(self.held, rate)
        else:
            self.broke = rate if self.broke is None else min(self.broke, rate)


def why_not(result: Result, *, p99_ms: float) -> str:
    """Why a run's rate was not sustained; empty when it was.

    Raises:
        GeneratorTooSlowError: nothing can be said of the server.
    """
    if result.verdict in {Verdict.INCORRECT, Verdict.INVALID}:
        if result.verdict is Verdict.INVALID and generator_bound(result):
            raise GeneratorTooSlowError("; ".join(result.reasons))
        return "; ".join(result.reasons) or result.verdict.name
    latency = main_latency(result)
    p99 = result.latency_ms[latency]["p99"] if latency is not None else None
    if p99 is None:
        return "nothing was measured"
    if not keeps_up(result.offered_per_s, result.acked_per_s, closed=False):
        return f"{result.acked_per_s:,.0f} of {result.offered_per_s:,.0f} offered a second were acked"
    if p99 > p99_ms:
        return f"{latency} p99 {p99:,.1f} ms"
    return ""


class GeneratorTooSlowError(Exception):
    """The load tester itself was the bottleneck."""
