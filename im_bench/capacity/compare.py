"""Compares results, and says what of the difference is more than noise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from im_bench.capacity.spread import Spread
from im_bench.report.costs import cpu_us
from im_bench.report.direction import more_is_better

Run = Mapping[str, Any]
"""A result as `Result.as_json` gives it."""
MACHINE: Final = ("cpu_model", "cores", "kernel")
NOT_COMPARED: Final = ("url", "seed", "server")
PERCENTILES: Final = ("p50", "p99")
SEARCHED: Final = "searched"
"""Under it what stands for a search has its limit of p99, in ms."""
NOT_BROKEN: Final = "not_broken"
"""Under it whether a search ended before a rate broke."""
SWEPT: Final = "swept"
"""Under it a run that was read of a sweep has the setting that made it another thing than its neighbours."""


class Change(StrEnum):
    """What a difference is."""

    BETTER = "better"
    WORSE = "worse"
    NOISE = "noise"
    """The ranges overlap."""
    UNKNOWN = "unknown"
    """One run each tells nothing of the noise."""
    DIFFERS = "differs"
    """The ranges lie apart, and so do the machines."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, before and after."""

    name: str
    before: Spread
    after: Spread
    more_is_better: bool
    same_machine: bool = True

    @property
    def ratio(self) -> float | None:
        """After over before, of the medians; None when there was nothing before."""
        return self.after.median / self.before.median if self.before.median else None

    @property
    def change(self) -> Change:
        """Whether the ranges lie apart, and which way."""
        if len(self.before.values) < 2 or len(self.after.values) < 2:
            return Change.UNKNOWN if self.before.values != self.after.values else Change.NOISE
        grown = self.after.least > self.before.most
        if not grown and self.after.most >= self.before.least:
            return Change.NOISE
        if not self.same_machine:
            return Change.DIFFERS
        return Change.BETTER if grown is self.more_is_better else Change.WORSE


@dataclass(frozen=True, slots=True)
class Comparison:
    """One scenario on one kind of server."""

    name: str
    runs: tuple[int, int]
    figures: Sequence[Figure]
    remarks: Sequence[str]
    """What makes the two sides hard to compare."""
    same_machine: bool


def spreads(runs: Sequence[Run]) -> dict[str, dict[str, Spread]]:
    """The figures of runs over their repeats: by the scenario and its kind of server, then by the figure's name."""
    return {
        name: {
            figure: Spread(tuple(figures[figure] for figures in told if figure in figures))
            for figure in dict.fromkeys(figure for figures in told for figure in figures)
        }
        for name, group in _grouped(runs).items()
        for told in ([figures_of(run) for run in group],)
    }


def compare(before: Sequence[Run], after: Sequence[Run]) -> list[Comparison]:
    """Compare what both sides have: scenario by scenario, kind of server by kind of server."""
    old, new = _grouped(before), _grouped(after)
    return [_compare(name, old[name], new[name]) for name in old if name in new]


def on_one_side(before: Sequence[Run], after: Sequence[Run]) -> Iterator[str]:
    """What only one side has, and so is not compared."""
    old, new = _grouped(before), _grouped(after)
    yield from (f"only before: {name}" for name in old if name not in new)
    yield from (f"only after: {name}" for name in new if name not in old)


def _grouped(runs: Sequence[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        loop = ", closed loop" if run["settings"].get("closed") else ""
        swept = f", {over} {run['settings'][over]:,.10g}" if (over := run.get(SWEPT)) else ""
        searched = f", search with p99 at most {most:,.10g} ms" if (most := run.get(SEARCHED)) else ""
        groups.setdefault(f"{run['scenario']}{loop}{swept}{searched}, {run['settings']['mode']}", []).append(run)
    return groups


def _compare(name: str, before: Sequence[Run], after: Sequence[Run]) -> Comparison:
    old, new = [figures_of(run) for run in before], [figures_of(run) for run in after]
    figures, same_machine = [], all(before[0]["environment"][each] == after[0]["environment"][each] for each in MACHINE)
    for figure in old[0]:
        was, is_now = (Spread(tuple(run[figure] for run in runs if figure in run)) for runs in (old, new))
        if was.values and is_now.values:
            more = more_is_better(figure)
            figures.append(Figure(figure, was, is_now, more_is_better=more, same_machine=same_machine))
    return Comparison(name, (len(before), len(after)), figures, list(_remarks(before, after)), same_machine)


def figures_of(run: Run) -> dict[str, float]:
    """What is compared of a run, by name; rates end in `/s`."""
    told = {f"{name}/s": run[f"{name}_per_s"] for name in ("acked", "delivered")}
    for name, summary in run["latency_ms"].items():
        if name != "connect" or run["scenario"] == "connect":
            told |= {f"{name} {percentile}, ms": summary[percentile] for percentile in PERCENTILES}
    costs = cpu_us(run)
    for name, use in (run["resources"] or {}).items():
        if name in costs:
            told[f"{name} CPU, ms each"] = costs[name] / 1000
        told[f"{name} memory, MiB"] = use["rss_mib"]
    told |= run["measured"]
    return {name: value for name, value in told.items() if value is not None}


def _remarks(before: Sequence[Run], after: Sequence[Run]) -> Iterator[str]:
    old, new = before[0], after[0]
    for name in MACHINE:
        if old["environment"][name] != new["environment"][name]:
            yield f"another machine: {name} {old['environment'][name]} before, {new['environment'][name]} after"
    for name, value in old["settings"].items():
        if name not in NOT_COMPARED and value != new["settings"].get(name):
            yield f"other settings: {name} {value} before, {new['settings'].get(name)} after"
    for side, runs in (("before", before), ("after", after)):
        if bad := sorted({run["verdict"] for run in runs} - {"GOOD", "TARGET_MISSED"}):
            yield f"{side}: {', '.join(bad)} among the verdicts: its figures do not count"
        if any(run.get(NOT_BROKEN) for run in runs):
            yield f"{side}: a search ended before a rate broke: the highest may be higher"
