"""The page of one run."""

import html
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from im_bench.report.page.fill import details, fill, remarks, table
from im_bench.report.page.tiles import headline, tiles

NINES: Final = (0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999)
"""Percentiles of the curve; those that stand for less than one value are left out."""
REMOTE: Final = "remote"
NOT_DRAWN: Final = ("slip",)


def result_page(result: dict[str, Any]) -> str:
    """The page of a result.

    Args:
        result: as `Result.as_json` gives it, or as it was read from a file.
    """
    values = {
        "HEADLINE": headline(result),
        "TILES": tiles(result),
        "REMARKS": remarks(result["reasons"], result["notes"]),
        "LATENCIES": _latencies(result),
        "PROOF": _proof(result),
        "RESOURCES": _resources(result),
        "DETAILS": details({**result["settings"], **result["environment"]}),
    }
    return fill("result", values, title=f"{result['scenario']}: {result['verdict']}", data=_drawn(result))


def _drawn(result: dict[str, Any]) -> dict[str, Any]:
    """What the plots need."""
    curves = {name: _curve(encoded) for name, encoded in result.get("histograms", {}).items() if name not in NOT_DRAWN}
    return {"series": result["series"], "steps": result["steps"], "curves": curves, "closed": _closed(result)}


def _closed(result: dict[str, Any]) -> bool:
    return bool(result["settings"].get("closed"))


def _decoded(encoded: str) -> HdrHistogram:
    return HdrHistogram.decode(encoded)


def _curve(encoded: str) -> list[tuple[float, float]]:
    """(percentile, milliseconds) of a histogram."""
    histogram = _decoded(encoded)
    count = histogram.get_total_count()
    wanted = [nine for nine in NINES if (100 - nine) / 100 * count >= 1]
    values = histogram.get_percentile_to_value_dict(wanted)
    return [(nine, values[nine] / 1000) for nine in wanted]


def _latencies(result: dict[str, Any]) -> str:
    keys = ("p50", "p90", "p99", "p999", "max")
    counts = {name: f"{_decoded(encoded).get_total_count():,}" for name, encoded in result["histograms"].items()}
    rows = [
        [name, *("-" if summary[key] is None else f"{summary[key]:,.2f}" for key in keys), counts.get(name, "-")]
        for name, summary in result["latency_ms"].items()
    ]
    return table(["ms", "p50", "p90", "p99", "p99.9", "max", "of"], rows) if rows else "<p>None was measured.</p>"


def _proof(result: dict[str, Any]) -> str:
    faults, proved = ("lost", "unstored", "duplicate", "out_of_order"), result["verdict"] != "INVALID"
    counts = {**result["correctness"], **result["counts"]}
    cells = [
        f'<div class="{"fault" if name in faults and count else "fine" if name in faults and proved else "told"}">'
        f"<dt>{html.escape(name.replace('_', ' '))}</dt><dd>{count:,}</dd></div>"
        for name, count in counts.items()
    ]
    return f'<dl class="proof">{"".join(cells)}</dl>'


def _resources(result: dict[str, Any]) -> str:
    if result["resources"] is None:
        remote = result["settings"]["mode"] == REMOTE
        why = "The server is not on this machine" if remote else "It was stopped before anything was measured"
        return f"<p>{why}: what it used is not known.</p>"
    rows = [
        [name, f"{use['cpu_s']:,.2f}", f"{use['rss_mib']:,.1f}"] for name, use in sorted(result["resources"].items())
    ]
    return table(["process", "CPU, s", "memory, MiB"], rows)
