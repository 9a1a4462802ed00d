"""A result as a person reads it at a glance."""

from typing import Final

from rich.console import Console
from rich.table import Table

from im_bench.report.result import Result
from im_bench.report.verdict import Verdict

_COLOURS: Final = {
    Verdict.GOOD: "green", Verdict.INCORRECT: "red", Verdict.INVALID: "yellow", Verdict.TARGET_MISSED: "yellow",
}  # fmt: skip


def print_summary(result: Result, console: Console) -> None:
    """Print the verdict first, then the figures."""
    colour = _COLOURS.get(result.verdict, "white")
    loop = " [bold yellow]closed loop[/]" if result.settings.get("closed") else ""
    behind = "" if result.keeps_up else " [bold yellow]did not keep up[/]"
    console.print(f"\n[bold]{result.scenario}[/]  [{colour} bold]{result.verdict.name}[/]{behind}{loop}")
    for reason in result.reasons:
        console.print(f"  [{colour}]{reason}[/]", highlight=False)
    for note in result.notes:
        console.print(f"  {note}", highlight=False)
    _print_rates(result, console)
    _print_latency(result, console)
    if result.steady is not None and result.steady["steady"]:
        console.print(f"steady from second {result.steady['from_s']:.0f} of the measured ones", highlight=False)
    _print_correctness(result, console)
    for name, value in result.measured.items():
        console.print(f"{name.replace('_', ' ')}: {value:g}", highlight=False)
    for name, use in (result.resources or {}).items():
        console.print(f"{name}: {use['cpu_s']:g} s of CPU, {use['rss_mib']:g} MiB", highlight=False)
    if (share := result.generator.get("cpu_share")) is not None:
        slip = result.generator.get("slip_p99_ms")
        late = "" if slip is None else f", schedule late by {slip:.2f} ms (p99)"
        count = result.generator["processes"]
        processes = "" if count == 1 else f" ({count} processes, the busiest)"
        console.print(f"generator: {share:.0%} of a core{processes}{late}", highlight=False)


def _print_correctness(result: Result, console: Console) -> None:
    if result.delivered_per_s is None:
        return
    told = result.as_json()["correctness"].items()
    console.print(" · ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in told), highlight=False)
    counts = [f"{name} {count:,}" for name, count in sorted(result.counts.items()) if count]
    if counts:
        console.print(" · ".join(counts), highlight=False)


def _print_rates(result: Result, console: Console) -> None:
    offered = None if result.settings.get("closed") else result.offered_per_s
    rates = {"offered": offered, "acked": result.acked_per_s, "delivered": result.delivered_per_s}
    told = [f"{name} {value:,.0f}/s" for name, value in rates.items() if value is not None]
    if told:
        console.print(" · ".join(told), highlight=False)


def _print_latency(result: Result, console: Console) -> None:
    if not result.latency_ms:
        return
    table = Table(title="latency, ms", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for name in ("p50", "p90", "p99", "p99.9", "max"):
        table.add_column(name, justify="right")
    for name, values in result.latency_ms.items():
        cells = [values[key] for key in ("p50", "p90", "p99", "p999", "max")]
        table.add_row(name, *("-" if cell is None else f"{cell:,.1f}" for cell in cells))
    console.print(table)
