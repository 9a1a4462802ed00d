"""Fills the page in. The figures travel as data within it; `page.js` draws them as wide as the window is."""

import html
import json
from importlib.resources import files
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from im_bench.report.page.tiles import headline, tiles

NINES: Final = (0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999)
"""Percentiles of the curve; those that stand for less than one value are left out."""
NOT_DRAWN: Final = ("slip",)


def render_page(result: dict[str, Any]) -> str:
    """The page of a result.

    Args:
        result: as `Result.as_json` gives it, or as it was read from a file.
    """
    folder = files(__package__)
    parts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "page.css", "page.js")}
    # `<` would let a text within the data end the script element.
    data = json.dumps(_drawn(result), separators=(",", ":")).replace("<", "\\u003c")
    values = {
        "TITLE": html.escape(f"{result['scenario']}: {result['verdict']}"),
        "CSS": parts["page.css"],
        "JS": parts["page.js"],
        "DATA": data,
        "HEADLINE": headline(result),
        "TILES": tiles(result),
        "REMARKS": _remarks(result),
        "LATENCIES": _latencies(result),
        "PROOF": _proof(result),
        "RESOURCES": _resources(result),
        "DETAILS": _details(result),
    }
    page = parts["page.html"]
    for name, value in values.items():
        page = page.replace(f"{{{{{name}}}}}", value)
    return page


def _drawn(result: dict[str, Any]) -> dict[str, Any]:
    """What the plots need."""
    curves = {name: _curve(encoded) for name, encoded in result.get("histograms", {}).items() if name not in NOT_DRAWN}
    return {"series": result["series"], "steps": result["steps"], "curves": curves, "closed": _closed(result)}


def _closed(result: dict[str, Any]) -> bool:
    return bool(result["settings"].get("closed"))


def _curve(encoded: str) -> list[tuple[float, float]]:
    """(percentile, milliseconds) of a histogram."""
    histogram = HdrHistogram.decode(encoded)
    count = histogram.get_total_count()
    wanted = [nine for nine in NINES if (100 - nine) / 100 * count >= 1]
    values = histogram.get_percentile_to_value_dict(wanted)
    return [(nine, values[nine] / 1000) for nine in wanted]


def _remarks(result: dict[str, Any]) -> str:
    reasons = [f'<li class="reason">{html.escape(text)}</li>' for text in result["reasons"]]
    notes = [f"<li>{html.escape(text)}</li>" for text in result["notes"]]
    return f'<ul class="remarks">{"".join([*reasons, *notes])}</ul>' if reasons or notes else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A table whose first column names the row."""
    top = "".join(f"<th scope=col>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope=row>{html.escape(row[0])}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _latencies(result: dict[str, Any]) -> str:
    keys = ("p50", "p90", "p99", "p999", "max")
    rows = [
        [name, *("-" if summary[key] is None else f"{summary[key]:,.2f}" for key in keys)]
        for name, summary in result["latency_ms"].items()
    ]
    return _table(["ms", "p50", "p90", "p99", "p99.9", "max"], rows) if rows else "<p>None was measured.</p>"


def _proof(result: dict[str, Any]) -> str:
    faults = ("lost", "unstored", "duplicate", "out_of_order")
    counts = {**result["correctness"], **result["counts"]}
    cells = [
        f'<div class="{"fault" if name in faults and count else "fine" if name in faults else "told"}">'
        f"<dt>{html.escape(name.replace('_', ' '))}</dt><dd>{count:,}</dd></div>"
        for name, count in counts.items()
    ]
    return f'<dl class="proof">{"".join(cells)}</dl>'


def _resources(result: dict[str, Any]) -> str:
    if result["resources"] is None:
        return "<p>The server is not on this machine: what it used is not known.</p>"
    rows = [
        [name, f"{use['cpu_s']:,.2f}", f"{use['rss_mib']:,.1f}"] for name, use in sorted(result["resources"].items())
    ]
    return _table(["process", "CPU, s", "memory, MiB"], rows)


def _details(result: dict[str, Any]) -> str:
    """Settings and machine, in full."""
    rows = [
        [name, value if isinstance(value, str) else json.dumps(value)]
        for name, value in {**result["settings"], **result["environment"]}.items()
        if value not in (None, {}, [])
    ]
    return _table(["", ""], rows)
