"""A sweep as one page with plots."""

import html
from typing import Any, Final

from im_bench.capacity.sweep import Lines, Sweep
from im_bench.capacity.sweep_table import sweep_table
from im_bench.report.page.fill import details, fill, remarks, table

FANS_OUT: Final = 1.5
"""Deliveries for each ack, above which each of them has a cost of its own."""
VARIES: Final = ("seed", "url")
"""Settings that differ from run to run whatever is varied."""


def sweep_page(sweep: Sweep, *, end: str) -> str:
    """The page of a sweep of one run at least.

    Args:
        sweep: the runs.
        end: how it ended, in a few words.
    """
    result, setting = sweep.runs[0][1], sweep.axis.setting
    told = {**result.settings, **result.environment}
    values = {
        "HEADLINE": _headline(sweep, result.scenario, told, end),
        "REMARKS": remarks(_reasons(sweep), []),
        "TABLE": table(*sweep_table(sweep, ranges=True)),
        "DETAILS": details({name: value for name, value in told.items() if name not in (*VARIES, setting)}),
    }
    data = {"over": sweep.axis.label, "values": list(sweep.axis.values), "plots": _plots(sweep)}
    return fill("sweep", values, title=f"{result.scenario} over {setting}", data=data)


def _headline(sweep: Sweep, scenario: str, told: dict[str, Any], end: str) -> str:
    closed = ' <span class="badge closed">closed loop</span>' if told.get("closed") else ""
    done = f"{len(sweep.runs)} runs, {told['mode']} server"
    machine = f", {told['cores']} cores of {told['cpu_model']}" if told.get("cores") else ""
    return (
        f"<h1>{html.escape(scenario)} over {html.escape(sweep.axis.label)}{closed}</h1>"
        f"<p>{html.escape(f'{done}{machine}: {end}.')} Lines are medians, upright strokes reach from the least to the most.</p>"
    )


def _reasons(sweep: Sweep) -> list[str]:
    """Why runs were not good, each reason once for a value."""
    told = (f"{sweep.axis.at(value)}: {reason}" for value, result in sweep.runs for reason in result.reasons)
    return list(dict.fromkeys(told))


def _plots(sweep: Sweep) -> dict[str, dict[str, Any]]:
    """What `sweep.js` draws; costs and latencies of values that lie far apart are told by their powers."""
    rates = sweep.rates()
    acked, delivered = rates.get("acked", {}), rates.get("delivered", {})
    fans_out = any(
        spread.median > FANS_OUT * acked[value].median for value, spread in delivered.items() if value in acked
    )
    latencies = {f"{sweep.latency} {key}": line for key, line in sweep.latencies().items()}
    return {
        "costs": {"unit": "µs", "log": True, "lines": _drawn(sweep.costs())},
        "delivery_costs": {"unit": "µs", "log": True, "lines": _drawn(sweep.costs("delivered") if fans_out else {})},
        "latencies": {"unit": "ms", "log": True, "lines": _drawn(latencies)},
        "rates": {"unit": "/s", "log": True, "lines": _drawn(rates)},
        "memory": {"unit": "MiB", "log": False, "lines": _drawn(sweep.memory())},
    }


def _drawn(lines: Lines) -> dict[str, list[tuple[float, float, float, float]]]:
    """(value, median, least, most) by line."""
    return {
        name: [(value, spread.median, spread.least, spread.most) for value, spread in line.items()]
        for name, line in lines.items()
    }
