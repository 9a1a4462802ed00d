"""`im bench compare`: what changed between results, against their noise."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from im_bench.capacity.compare import Change, Comparison, UnreadableError, compare, read_runs
from im_cli.exit_code import CommandError, ExitCode

COLOURS = {Change.BETTER: "green", Change.WORSE: "red", Change.NOISE: "dim", Change.UNKNOWN: "yellow"}
RESULTS_HELP = "A result, a file of several (`im bench regression`), or a folder of such files."


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel="What to make of it")(compare_results)


def compare_results(
    before: Annotated[Path, typer.Argument(exists=True, help=RESULTS_HELP)],
    after: Annotated[Path, typer.Argument(exists=True, help=RESULTS_HELP)],
) -> None:
    """Compare results, scenario by scenario: the medians of each side's runs, and their ranges.

    A change is told as one only where the ranges lie apart; one run each tells nothing of the noise.
    """
    try:
        comparisons = compare(read_runs(before), read_runs(after))
    except UnreadableError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from error
    if not comparisons:
        raise CommandError("the two have no scenario on the same kind of server in common", code=ExitCode.USAGE)
    console = Console()
    for comparison in comparisons:
        _print(comparison, console)


def _print(comparison: Comparison, console: Console) -> None:
    old, new = comparison.runs
    console.print(f"\n[bold]{comparison.name}[/]  {_runs(old)} before, {_runs(new)} after", highlight=False)
    for remark in comparison.remarks:
        console.print(f"  [yellow]{remark}[/]", highlight=False)
    table = Table(box=None, pad_edge=False)
    for name in ("", "before", "after", "change", ""):
        table.add_column(name, justify="left" if not name else "right")
    for figure in comparison.figures:
        ratio = figure.ratio
        told = "" if ratio is None else f"{ratio - 1:+.1%}"
        table.add_row(
            figure.name, str(figure.before), str(figure.after), told, f"[{COLOURS[figure.change]}]{figure.change}[/]"
        )
    console.print(table)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
