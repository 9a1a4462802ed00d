"""Latencies: recorded cheaply where they happen, kept as an HdrHistogram where they are merged.

An HdrHistogram of three digits keeps 2,048 values of each power of two apart; `Recorder` counts by exactly those values
in a dictionary. So a recording costs a fifth, a second's worth travels between processes as it is, and merging loses
nothing.
"""

from typing import Final

from hdrh.histogram import HdrHistogram

HIGHEST_US: Final = 600_000_000
"""Ten minutes: slower than anything that still counts as delivered."""
DIGITS: Final = 3
_KEPT_BITS: Final = 11
"""2,048 = 2 ** 11 values apart: what an HdrHistogram of three digits keeps."""

Counts = dict[int, int]
"""How often each value came: microseconds, as the histogram keeps them."""
Summary = dict[str, float | None]
"""Milliseconds: p50, p90, p99, p999, max."""
PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}


class Recorder:
    """Counts latencies until they are taken."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counts = {}

    def record(self, seconds: float) -> None:
        """Count one."""
        value = int(seconds * 1_000_000) if seconds > 1e-6 else 1
        shift = value.bit_length() - _KEPT_BITS
        if shift > 0:
            value = value >> shift << shift
        counts = self._counts
        counts[value] = counts.get(value, 0) + 1

    def take(self) -> Counts:
        """What was counted since the last time."""
        taken, self._counts = self._counts, {}
        return taken


class Latency:
    """A histogram of microseconds."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, HIGHEST_US, DIGITS)

    def add(self, counts: Counts) -> None:
        """Add what a recorder took."""
        for value, count in counts.items():
            self._histogram.record_value(min(HIGHEST_US, value), count)

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(self._histogram.get_total_count())

    def at(self, percentile: float) -> float | None:
        """Milliseconds at a percentile; None when nothing was counted."""
        return self._histogram.get_value_at_percentile(percentile) / 1000 if self.count else None

    def summary(self) -> Summary:
        """Milliseconds at the percentiles that the schema names."""
        highest = self._histogram.get_max_value() / 1000 if self.count else None
        return {**{name: self.at(percentile) for name, percentile in PERCENTILES.items()}, "max": highest}

    def encoded(self) -> str:
        """The whole histogram, in HdrHistogram's own compressed form."""
        return str(self._histogram.encode().decode("ascii"))


def summary_of(counts: Counts) -> Summary:
    """The percentiles of one second, without the price of a whole histogram."""
    total = sum(counts.values())
    if not total:
        return {**dict.fromkeys(PERCENTILES), "max": None}
    wanted = [(name, percentile / 100 * total) for name, percentile in PERCENTILES.items()]
    found: Summary = {}
    passed, value = 0, 0
    for value in sorted(counts):
        passed += counts[value]
        while wanted and passed >= wanted[0][1]:
            found[wanted.pop(0)[0]] = value / 1000
    found["max"] = value / 1000
    return found
