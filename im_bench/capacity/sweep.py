"""One scenario at several values of one of its settings: how cost and latency grow. Rules only.

Each round runs every value once, so that a machine whose pace changes from one minute to the next does not look like a
server that grows dearer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from im_bench.capacity.spread import Spread
from im_bench.report.costs import cpu_us
from im_bench.report.expectations import main_latency
from im_bench.report.result import SCHEMA_VERSION, Result
from im_bench.report.verdict import Verdict

SUM: Final = "sum"
"""The line of all processes."""
PERCENTILES: Final = ("p50", "p99")
NO_FIGURES: Final = (Verdict.INCORRECT, Verdict.INVALID)
"""Runs that end so are kept and told, and are in no line."""
Value = int | float
Lines = dict[str, dict[Value, Spread]]
"""By what a line is of, a figure at each value."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What is varied."""

    setting: str
    """A field of the scenario's settings."""
    values: Sequence[Value]

    @property
    def label(self) -> str:
        """The setting as people read it."""
        return self.setting.replace("_", " ")

    def at(self, value: Value) -> str:
        """One of its values as people read it: `members 1,000`."""
        return f"{self.label} {value:,.10g}"


class Sweep:
    """Proposes the runs, keeps how they went, and puts them together.

    Args:
        axis: what is varied.
        rounds: how many times every value is run.
    """

    def __init__(self, axis: Axis, *, rounds: int) -> None:
        self.axis = axis
        self.runs: list[tuple[Value, Result]] = []
        """Those that have ended, in their order."""
        self._rounds = rounds

    def plan(self) -> Iterator[tuple[int, Value]]:
        """Round and value of each run."""
        for number in range(self._rounds):
            for value in self.axis.values:
                yield number, value

    def add(self, value: Value, result: Result) -> None:
        """A run has ended."""
        self.runs.append((value, result))

    @property
    def latency(self) -> str | None:
        """The latency that the scenario is about; None when none was measured."""
        return next((name for _, result in self._counting() if (name := main_latency(result))), None)

    def latencies(self) -> Lines:
        """Milliseconds, by percentile."""
        name = self.latency or ""
        return self._lines(
            lambda result: {
                key: value for key in PERCENTILES if (value := result.latency_ms.get(name, {}).get(key)) is not None
            }
        )

    def rates(self) -> Lines:
        """What was acked and delivered a second."""
        return self._lines(
            lambda result: {
                name: rate
                for name, rate in (("acked", result.acked_per_s), ("delivered", result.delivered_per_s))
                if rate is not None
            }
        )

    def costs(self, of: str = "acked") -> Lines:
        """Microseconds of CPU for each thing `acked` or `delivered`, in all and by process; empty where that is not known."""

        def told(result: Result) -> dict[str, float]:
            by_process = cpu_us(result.as_short_json(), of)
            return {SUM: sum(by_process.values()), **by_process} if by_process else {}

        lines = self._lines(told)
        if len(lines) == 2:  # a single process is all there is
            del lines[SUM]
        return _largest_first(lines)

    def memory(self) -> Lines:
        """MiB, by process."""
        lines = self._lines(lambda result: {name: use["rss_mib"] for name, use in (result.resources or {}).items()})
        return _largest_first(lines)

    def measured(self) -> Lines:
        """What only this scenario measures, but for the axis itself."""
        lines = self._lines(lambda result: result.measured)
        return {name: line for name, line in lines.items() if name != self.axis.setting}

    def verdicts(self, value: Value) -> list[Verdict]:
        """How the runs of a value ended."""
        return [result.verdict for each, result in self.runs if each == value]

    def as_json(self, machine: dict[str, Any], *, end: str) -> dict[str, Any]:
        """The file's shape; `im bench compare` reads its `runs`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "sweep",
            "over": self.axis.setting,
            "values": list(self.axis.values),
            "rounds": self._rounds,
            "end": end,
            "environment": machine,
            "runs": [result.as_short_json() for _, result in self.runs],
        }

    def _counting(self) -> list[tuple[Value, Result]]:
        return [(value, result) for value, result in self.runs if result.verdict not in NO_FIGURES]

    def _lines(self, figures: Callable[[Result], Mapping[str, float]]) -> Lines:
        found: dict[str, dict[Value, list[float]]] = {}
        for value, result in self._counting():
            for name, figure in figures(result).items():
                found.setdefault(name, {}).setdefault(value, []).append(figure)
        return {
            name: {value: Spread(tuple(by_value[value])) for value in self.axis.values if value in by_value}
            for name, by_value in found.items()
        }


def _largest_first(lines: Lines) -> Lines:
    def most(name: str) -> float:
        return max(spread.median for spread in lines[name].values())

    return {name: lines[name] for name in sorted(lines, key=most, reverse=True)}
