"""The page's first lines: what a reader must see without scrolling."""

import html
from typing import Any, Final

from im_bench.report.keeping_up import keeps_up

VERDICTS: Final = {
    "GOOD": "Every message is accounted for.",
    "INCORRECT": "Something was lost, doubled or out of order: no figure below counts.",
    "INVALID": "The figures below mean nothing.",
    "TARGET_MISSED": "Every message is accounted for, and a target was missed.",
}


def headline(result: dict[str, Any]) -> str:
    """Scenario, verdict, and what was done, in a sentence."""
    verdict, settings = result["verdict"], result["settings"]
    closed = bool(settings.get("closed"))
    behind = not keeps_up(result["offered_per_s"], result["acked_per_s"], closed=closed)
    beside = (text for text, shown in (("did not keep up", behind), ("closed loop", closed)) if shown)
    badges = "".join(f'<span class="badge closed">{text}</span>' for text in beside)
    return (
        f'<h1>{html.escape(result["scenario"])} <span class="badge {verdict.lower()}">{verdict.replace("_", " ")}</span>'
        f"{badges}</h1><p>{html.escape(VERDICTS[verdict])} {html.escape(_done(result))}</p>"
    )


def _done(result: dict[str, Any]) -> str:
    settings, machine = result["settings"], result["environment"]
    told = []
    if "rate" in settings and not settings.get("closed"):
        told.append(f"{settings['rate']:g}/s offered for {settings['duration']:g} s")
    elif "duration" in settings:
        told.append(f"{settings['duration']:g} s")
    told.append(f"{settings['mode']} server")
    if machine.get("cores"):
        told.append(f"{machine['cores']} cores of {machine['cpu_model']}")
    return ", ".join(told) + "."


def tiles(result: dict[str, Any]) -> str:
    """The few figures that matter most."""
    cells: list[tuple[str, str, str]] = [
        (name, f"{rate:,.0f}", "/s") for name in ("acked", "delivered") if (rate := result[f"{name}_per_s"]) is not None
    ]
    latencies = result["latency_ms"]
    name = next((each for each in ("delivery", *latencies) if each in latencies), None)
    if name is not None:
        for key, label in (("p50", "p50"), ("p99", "p99")):
            if (value := latencies[name][key]) is not None:
                cells.append((f"{name} {label}", _short(value), "ms"))
    cells += [(each.replace("_", " "), f"{value:,.4g}", "") for each, value in result["measured"].items()]
    if (share := result["generator"].get("cpu_share")) is not None:
        cells.append(("generator", f"{share:.0%}", "of a core"))
    return "".join(
        f'<div class="tile"><div class="label">{html.escape(label)}</div>'
        f'<div class="value">{html.escape(value)}<small>{html.escape(unit)}</small></div></div>'
        for label, value, unit in cells
    )


def _short(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}"
