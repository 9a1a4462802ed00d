"""What a run was expected to reach: `p99=200ms,lost=0,acked=5000/s`.

Latencies, counts and costs may be at most what is named; rates, and other figures that are the better the larger they
are (`direction.py`), must be at least that. A bare percentile is that of deliveries, or of what the scenario measures
instead; `ack.p99` names one. What a scenario measures of its own goes by its name.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Final

from im_bench.ledger.correctness import Correctness
from im_bench.measure.latency import PERCENTILES
from im_bench.report.direction import RATES, more_is_better
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict

COUNTS: Final = tuple(field.name for field in fields(Correctness))
MAIN_LATENCIES: Final = ("delivery", "connect", "ack")
"""Whose percentile a bare one is: the first that the run measured, unless the scenario has another."""
_TERM: Final = re.compile(
    r"(?P<name>[a-z_][a-z0-9_.-]*)=(?P<value>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|/s|)", re.IGNORECASE
)
_PERCENTILES: Final = (*PERCENTILES, "max")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One of them."""

    name: str
    value: float
    """Milliseconds for latencies, a second for rates."""
    text: str
    """As it was written."""

    @property
    def percentile(self) -> str | None:
        """The percentile that it names; None when it is about no latency."""
        last = self.name.rpartition(".")[2]
        return last if last in _PERCENTILES else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a scenario reports, and so what may be expected of it."""

    latencies: tuple[str, ...]
    names: tuple[str, ...]
    """Rates, counts and figures of its own; `*` stands for the name of a process of the server."""

    def problem(self, expectations: Sequence[Expectation]) -> str | None:
        """What is wrong with the first one that names nothing here, and what it may name; None when all do."""
        for expectation in expectations:
            percentile = expectation.percentile
            if percentile is None:
                known = any(fnmatchcase(expectation.name, name) for name in self.names)
            else:
                latency = expectation.name.removesuffix(percentile).rstrip(".")
                known = bool(self.latencies) if not latency else latency in self.latencies
            if not known:
                latencies = (
                    f"{', '.join(_PERCENTILES)}, also of {', '.join(self.latencies)} (as in {self.latencies[0]}.p99)"
                )
                told = ", ".join(name.replace("*", "PROCESS") for name in self.names)
                return f"{expectation.text!r}: no {expectation.name} is measured here, only {latencies}; {told}"
        return None


def parse_expectations(text: str | None) -> list[Expectation]:
    """Read a list as it is given on the command line; None: nothing is expected.

    Raises:
        ValueError: it is none, or lacks a term (a variable that is not set must not open a gate); the message says what is wrong.
    """
    return [_parse(term.strip()) for term in text.split(",")] if text is not None else []


def _parse(term: str) -> Expectation:
    match = _TERM.fullmatch(term)
    if match is None or not math.isfinite(float(match["value"])):
        raise ValueError(f"{term!r} is no expectation: write p99=200ms, ack.p50=5ms, lost=0 or acked=5000/s")
    name, unit = match["name"].lower(), match["unit"].lower()
    expectation = Expectation(name, float(match["value"]) * (1000 if unit == "s" else 1), term)
    wanted = ("ms", "s") if expectation.percentile else ("", "/s") if name in RATES else ("",)
    if unit not in wanted:
        if unit in {"ms", "s"} and name not in {*RATES, *COUNTS}:
            raise ValueError(f"{term!r}: a latency's {name} is not kept, only {', '.join(_PERCENTILES)}")
        told = " or ".join(each or "no unit" for each in wanted)
        raise ValueError(f"{term!r}: {name} is told with {told}")
    if name in COUNTS and not expectation.value.is_integer():
        raise ValueError(f"{term!r}: {name} is counted: write a whole number")
    return expectation


def expect(result: Result, expectations: Sequence[Expectation]) -> None:
    """Compare a result with what was expected of it; a miss worsens it."""
    for expectation in expectations:
        found = _found(result, expectation)
        if found is None:
            result.worsen(
                Verdict.TARGET_MISSED, f"{expectation.text} expected, and {expectation.name} was not measured"
            )
            continue
        least = more_is_better(expectation.name)
        if (found < expectation.value) if least else (found > expectation.value):
            unit = " ms" if expectation.percentile else "/s" if expectation.name in RATES else ""
            result.worsen(Verdict.TARGET_MISSED, f"{expectation.text} expected, {found:,.5g}{unit} found")


def _found(result: Result, expectation: Expectation) -> float | None:
    name = expectation.name
    if name in RATES:
        rates = {"offered": result.offered_per_s, "acked": result.acked_per_s, "delivered": result.delivered_per_s}
        return rates[name]
    if name in COUNTS:
        return float(getattr(result.correctness, name))
    if (percentile := expectation.percentile) is None:
        return result.measured.get(name)
    latency = name.removesuffix(percentile).rstrip(".") or main_latency(result)
    return result.latency_ms.get(latency, {}).get(percentile) if latency is not None else None


def main_latency(result: Result) -> str | None:
    """The latency that a run is about; None when it measured none."""
    own = [name for name in result.latency_ms if name not in MAIN_LATENCIES]
    order = ("delivery", *own, "connect", "ack") if result.delivered_per_s is None else ("delivery", "ack", *own)
    return next((name for name in order if result.latency_ms.get(name, {}).get("p50") is not None), None)
