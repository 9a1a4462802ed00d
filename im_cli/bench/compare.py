"""`im bench compare`: what changed between results, against their noise."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from im_bench.capacity.compare import Change, Comparison, Run, compare, on_one_side
from im_bench.capacity.read_runs import UnreadableError, read_runs
from im_bench.report.verdict import Verdict
from im_cli.exit_code import CommandError, ExitCode

COLOURS = {
    Change.BETTER: "green",
    Change.WORSE: "red",
    Change.NOISE: "dim",
    Change.UNKNOWN: "yellow",
    Change.DIFFERS: "yellow",
}
RESULTS_HELP = (
    "A result, a file of several (`im bench regression`, `im bench sweep`), a search, or a folder of such files."
)
CODES = (
    "Exit codes: 0 compared · 1 wrong usage, or no results to compare · 2 with --fail-on, a side has a run with messages "
    "lost, doubled or out of order · 3 with --fail-on, a side has an invalid run · 4 with --fail-on worse, a figure is "
    "worse and that is no noise"
)


class FailOn(StrEnum):
    """What is a failure."""

    WORSE = "worse"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", rich_help_panel="What to make of it", epilog=CODES)(compare_results)


def compare_results(
    before: Annotated[Path, typer.Argument(exists=True, help=RESULTS_HELP)],
    after: Annotated[Path, typer.Argument(exists=True, help=RESULTS_HELP)],
    *,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            help="`worse`: end with 4 if a figure is. Not on another machine, or with one run each: neither can tell."
        ),
    ] = None,
) -> None:
    """Compare results, scenario by scenario: the medians of each side's runs, and their ranges.

    A change is told as one only where the ranges lie apart; one run each tells nothing of the noise, another machine nothing
    of better or worse. Of a search the highest rate is compared.
    """
    console = Console()

    def note(text: str) -> None:
        console.print(f"[yellow]{escape(text)}[/]", highlight=False, soft_wrap=True)

    try:
        old, new = (read_runs(path, on_skip=lambda why: note(f"left out: {why}")) for path in (before, after))
    except UnreadableError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from error
    comparisons = compare(old, new)
    if not comparisons:
        raise CommandError("the two have no scenario on the same kind of server in common", code=ExitCode.USAGE)
    for text in on_one_side(old, new):
        note(text)
    for comparison in comparisons:
        _print(comparison, console)
    if fail_on is FailOn.WORSE:
        verdict, why = judged(comparisons, [*old, *new])
        console.print()
        for text in why:
            note(text)
        if verdict is not Verdict.GOOD:
            raise typer.Exit(verdict)


def judged(comparisons: Sequence[Comparison], runs: Sequence[Run]) -> tuple[Verdict, list[str]]:
    """What `--fail-on worse` makes of it, and why."""
    verdicts, why = {Verdict.GOOD}, list[str]()
    for verdict in (Verdict.INCORRECT, Verdict.INVALID):
        if bad := sum(run["verdict"] == verdict.name for run in runs):
            verdicts.add(verdict)
            why.append(f"failed: {verdict.name} is the verdict of {_runs(bad)}")
    for comparison in comparisons:
        changes = {figure.name: figure.change for figure in comparison.figures}
        if worse := [name for name, change in changes.items() if change is Change.WORSE]:
            verdicts.add(Verdict.TARGET_MISSED)
            why.append(f"failed: {comparison.name} is worse in {'; '.join(worse)}")
        if not comparison.same_machine:
            why.append(f"not judged: {comparison.name} was measured on another machine")
        elif Change.UNKNOWN in changes.values():
            why.append(f"not judged: {comparison.name} has one run on a side, which tells nothing of the noise")
    return max(verdicts, key=lambda verdict: verdict.weight), why


def _print(comparison: Comparison, console: Console) -> None:
    old, new = comparison.runs
    console.print(f"\n[bold]{comparison.name}[/]  {_runs(old)} before, {_runs(new)} after", highlight=False)
    for remark in comparison.remarks:
        console.print(f"  [yellow]{escape(remark)}[/]", highlight=False)
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
