"""A result as a person reads it at a glance."""

from rich.console import Console
from rich.table import Table

from im_bench.result import Result, Verdict

_COLOURS = {Verdict.GOOD: "green", Verdict.INCORRECT: "red", Verdict.INVALID: "yellow", Verdict.TARGET_MISSED: "yellow"}


def print_summary(result: Result, console: Console) -> None:
    """Print the verdict first, then the figures."""
    colour = _COLOURS.get(result.verdict, "white")
    console.print(f"\n[bold]{result.scenario}[/]  [{colour} bold]{result.verdict.name}[/]")
    for reason in result.reasons:
        console.print(f"  {reason}", highlight=False)
    _print_rates(result, console)
    _print_latency(result, console)
    correctness = result.correctness
    if result.acked_per_s is not None:
        console.print(
            f"lost {correctness.lost} · duplicate {correctness.duplicate} · out of order {correctness.out_of_order}"
            f" · gap {correctness.gap} · resync {correctness.resync} · unknown {correctness.unknown}"
            f" · repeat {correctness.repeat}",
            highlight=False,
        )
    for name, value in result.measured.items():
        console.print(f"{name.replace('_', ' ')}: {value:g}", highlight=False)
    for name, use in result.resources.items():
        console.print(f"{name}: {use['cpu_s']:g} s of CPU, {use['rss_mib']:g} MiB", highlight=False)
    if (share := result.generator.get("cpu_share")) is not None:
        slip = result.generator.get("slip_p99_ms")
        told = "" if slip is None else f", schedule late by {slip:.1f} ms (p99)"
        console.print(f"generator: {share:.0%} of a core{told}", highlight=False)


def _print_rates(result: Result, console: Console) -> None:
    rates = {"offered": result.offered_per_s, "acked": result.acked_per_s, "delivered": result.delivered_per_s}
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
