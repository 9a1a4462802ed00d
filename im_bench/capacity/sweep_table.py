"""A sweep in rows and columns: a row for each value."""

from collections.abc import Iterator, Mapping
from typing import Final

from im_bench.capacity.spread import Spread, short
from im_bench.capacity.sweep import SUM, Sweep, Value

NOTHING: Final = "-"


def sweep_table(sweep: Sweep, *, ranges: bool) -> tuple[list[str], list[list[str]]]:
    """Its head and its rows; what a value has no figure of is a dash.

    `of the first` tells how many times as much of the processor a thing cost as at the first value that has a figure.

    Args:
        sweep: the runs.
        ranges: with the least and the most beside each median.
    """
    costs = sweep.costs()
    whole = costs.get(SUM) or next(iter(costs.values()), {})
    lines = {
        **{f"{name}/s": line for name, line in sweep.rates().items()},
        **{f"{sweep.latency} {key}, ms": line for key, line in sweep.latencies().items()},
        "CPU each, µs": whole,
        **{name.replace("_", " "): line for name, line in sweep.measured().items()},
    }
    columns: dict[str, dict[Value, str]] = {"verdict": {value: _verdicts(sweep, value) for value in sweep.axis.values}}
    columns |= {
        name: {value: str(spread) if ranges else short(spread.median) for value, spread in line.items()}
        for name, line in lines.items()
        if line
    }
    if whole:
        columns["of the first"] = dict(_ratios(whole))
    head = [sweep.axis.label, *columns]
    rows = [
        [f"{value:,.10g}", *(column.get(value) or NOTHING for column in columns.values())]
        for value in sweep.axis.values
    ]
    return head, rows


def _ratios(line: Mapping[Value, Spread]) -> Iterator[tuple[Value, str]]:
    """Each value's median against the first one's."""
    first = next(iter(line.values())).median
    for value, spread in line.items():
        if first:
            yield value, f"{spread.median / first:.2f}"


def _verdicts(sweep: Sweep, value: Value) -> str:
    """Each that occurred, and how often where they differ."""
    ended = sweep.verdicts(value)
    kinds = sorted(set(ended), key=lambda verdict: verdict.weight)
    return ", ".join(kind.name if len(kinds) == 1 else f"{ended.count(kind)} {kind.name}" for kind in kinds)
