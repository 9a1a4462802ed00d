"""A run's result: what is printed, written as JSON and compared.

The keys are a schema of their own: additions keep `schema_version`, anything else raises it.
"""

import os
import platform
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from im_bench.ledger import Correctness

SCHEMA_VERSION: Final = 1
HIGHEST_US: Final = 600_000_000
"""Ten minutes: slower than anything that still counts as delivered."""
DIGITS: Final = 3


class Verdict(IntEnum):
    """How a run ended; also the exit code of `im bench`."""

    GOOD = 0
    USAGE = 1
    INCORRECT = 2
    """Something was lost, doubled or out of order."""
    INVALID = 3
    """The generator was the bottleneck, or the run did not take place: its figures mean nothing."""
    TARGET_MISSED = 4


class Latency:
    """A histogram of microseconds."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, HIGHEST_US, DIGITS)

    def record(self, seconds: float) -> None:
        """Count one."""
        self._histogram.record_value(min(HIGHEST_US, max(1, int(seconds * 1_000_000))))

    def reset(self) -> None:
        """Forget everything."""
        self._histogram.reset()

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(self._histogram.get_total_count())

    def at(self, percentile: float) -> float | None:
        """Milliseconds at a percentile; None when nothing was counted."""
        return self._histogram.get_value_at_percentile(percentile) / 1000 if self.count else None

    def summary(self) -> dict[str, float | None]:
        """Milliseconds at the percentiles that the schema names."""
        highest = self._histogram.get_max_value() / 1000 if self.count else None
        return {"p50": self.at(50), "p90": self.at(90), "p99": self.at(99), "p999": self.at(99.9), "max": highest}

    def encoded(self) -> str:
        """The whole histogram, in HdrHistogram's own compressed form."""
        return str(self._histogram.encode().decode("ascii"))


@dataclass(slots=True)
class Result:
    """Everything a run found out."""

    scenario: str
    settings: dict[str, Any]
    verdict: Verdict = Verdict.GOOD
    reasons: list[str] = field(default_factory=list)
    """Why the verdict is not GOOD, and what else a reader must know."""
    offered_per_s: float | None = None
    acked_per_s: float | None = None
    delivered_per_s: float | None = None
    latency_ms: dict[str, dict[str, float | None]] = field(default_factory=dict)
    histograms: dict[str, str] = field(default_factory=dict)
    correctness: Correctness = field(default_factory=Correctness)
    resources: dict[str, dict[str, float]] = field(default_factory=dict)
    generator: dict[str, float | None] = field(default_factory=dict)
    series: list[dict[str, float]] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    """What only this scenario measures, such as bytes per connection."""

    def worsen(self, verdict: Verdict, reason: str) -> None:
        """Note a reason; INCORRECT outweighs INVALID outweighs TARGET_MISSED."""
        self.reasons.append(reason)
        order = (Verdict.GOOD, Verdict.TARGET_MISSED, Verdict.INVALID, Verdict.INCORRECT)
        if order.index(verdict) > order.index(self.verdict):
            self.verdict = verdict

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        raw = asdict(self)
        raw["verdict"] = self.verdict.name
        return {"schema_version": SCHEMA_VERSION, "environment": environment(), **raw}


def environment() -> dict[str, Any]:
    """The machine, as far as figures depend on it."""
    return {
        "cpu_model": _cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel's
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, platform.machine())
    except OSError:
        return platform.machine()
