"""`im bench regression`: a fixed short set, written down, so that a later one can be compared."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from im_bench.capacity.compare import spreads
from im_bench.report.environment import environment
from im_bench.report.result import Result
from im_bench.report.result_set import Failure, ResultSet, free_path
from im_bench.report.verdict import Verdict
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.connect import ConnectScenario, ConnectSettings
from im_bench.scenarios.mixed import MixedScenario, MixedSettings
from im_bench.scenarios.offline import OfflineScenario, OfflineSettings
from im_bench.scenarios.one_room import OneRoomSettings
from im_bench.scenarios.option import LoadSettings
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_bench.scenarios.world import WorldScenario
from im_cli.bench.exit_codes import OF_RUNS
from im_cli.bench.measure import Flags, opened, run_once
from im_cli.bench.output_file import problem_with_folder
from im_cli.exit_code import CommandError, ExitCode

SET: Final[tuple[tuple[type[Scenario[Any]], LoadSettings], ...]] = (
    (PrivateScenario, PrivateSettings(pairs=100, rate=500, duration=4, warm_up=1)),
    (PrivateScenario, PrivateSettings(pairs=100, closed=True, duration=4, warm_up=1)),
    (MixedScenario, MixedSettings(users=200, rate=100, duration=4, warm_up=1)),
    (WorldScenario, OneRoomSettings(members=200, rate=20, duration=4, warm_up=1)),
    (ConnectScenario, ConnectSettings(rate=100, connections=300, duration=4, warm_up=1)),
    (OfflineScenario, OfflineSettings(users=20, conversations=50, rate=10, duration=4, warm_up=1)),
)
"""What is run on each kind of server, in this order: never changed, or nothing could be compared."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("regression", rich_help_panel="What to make of it", epilog=OF_RUNS)(regression)


def regression(
    folder: Annotated[Path, typer.Option(help="Where the file with the results goes; made if absent.")] = Path(
        "benchmarks"
    ),
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Times that each scenario is run.")] = 3,
    embedded: Annotated[bool, typer.Option(help="Run the set on an embedded cluster.")] = True,
    cluster: Annotated[bool, typer.Option(help="Run the set on a distributed cluster.")] = True,
) -> None:
    """Run a fixed set of short loads on both kinds of cluster, and write the results to one file.

    The file is named after the day and the commit, and holds the machine's processor, cores and kernel. Each run is in it
    as soon as it has ended: neither a run that fails nor Ctrl-C takes away what was measured before. Compare two files
    with `im bench compare`: what lies within the ranges of the repeats is noise.
    """
    modes = [mode for mode, wanted in (("embedded", embedded), ("cluster", cluster)) if wanted]
    if not modes:
        raise CommandError("--no-embedded and --no-cluster together leave nothing to run", code=ExitCode.USAGE)
    if problem := problem_with_folder(folder):
        raise CommandError(f"--folder {problem}", code=ExitCode.USAGE)
    machine = environment()
    kept = ResultSet(free_path(folder, machine), machine, repeats=repeats)
    whole = _Run(kept, Console(stderr=True), Console(), total=len(modes) * repeats * len(SET)).take(modes, repeats)
    conclude(kept, Console(), whole=whole)
    if code := exit_code(kept):
        raise typer.Exit(code)


class _Run:
    """The set as it is run.

    Args:
        kept: gets what ends.
        errors: shows the progress.
        console: told each result in a line.
        total: how many runs there are to be.
    """

    def __init__(self, kept: ResultSet, errors: Console, console: Console, *, total: int) -> None:
        self._kept = kept
        self._errors = errors
        self._console = console
        self._total = total
        self._begun = 0

    def take(self, modes: list[str], repeats: int) -> bool:
        """Run everything; False when a person ended it before."""
        try:
            return all(self._take_mode(mode, repeats) for mode in modes)
        except KeyboardInterrupt:  # between two runs: within one it ends the load alone
            return False

    def _take_mode(self, mode: str, repeats: int) -> bool:
        flags, before = Flags(cluster=mode == "cluster"), self._begun
        try:
            with opened(flags, self._errors) as (target, people):
                for scenario, settings in _each(repeats):
                    self._begun += 1
                    label = f"run {self._begun}/{self._total}: {_name(scenario, settings)}, {mode}"
                    try:
                        result = run_once(
                            scenario, settings, flags, target=target, people=people, errors=self._errors, label=label
                        )
                    except CommandError as error:
                        if error.code is ExitCode.INTERRUPTED:
                            return False
                        self._fail(f"{_name(scenario, settings)}, {mode}", error)
                        continue
                    if result.stopped:
                        return False
                    self._kept.add(result)
                    self._tell(result)
        except CommandError as error:
            self._fail(f"everything, {mode}", error)
        self._begun = before + repeats * len(SET)
        return True

    def _fail(self, name: str, error: CommandError) -> None:
        self._kept.fail(Failure(name, int(error.code), str(error)))
        self._errors.print(
            f"[yellow]{name}: failed with {int(error.code)}[/]: {escape(str(error))}", highlight=False, soft_wrap=True
        )

    def _tell(self, result: Result) -> None:
        latency = "delivery" if "delivery" in result.latency_ms else next(iter(reversed(result.latency_ms)), "")
        p99 = result.latency_ms.get(latency, {}).get("p99")
        late = "" if p99 is None else f", {latency} p99 {p99:,.1f} ms"
        closed = ", closed loop" if result.settings.get("closed") else ""
        self._console.print(
            f"{result.scenario}{closed}, {result.settings['mode']}: {result.acked_per_s or 0:,.0f}/s acked{late}: "
            f"{result.verdict.name}",
            highlight=False,
            soft_wrap=True,
        )


def _each(repeats: int) -> Iterator[tuple[type[Scenario[Any]], LoadSettings]]:
    """The set again and again, each time with another seed."""
    for number in range(repeats):
        for scenario, settings in SET:
            yield scenario, replace(settings, seed=settings.seed + number)


def _name(scenario: type[Scenario[Any]], settings: LoadSettings) -> str:
    return f"{scenario.name}, closed loop" if getattr(settings, "closed", False) else scenario.name


def conclude(kept: ResultSet, console: Console, *, whole: bool) -> None:
    """Print the medians with their ranges, what failed, and where the file is."""
    for name, figures in spreads([result.as_json() for result in kept.results]).items():
        console.print(f"\n[bold]{name}[/]", highlight=False)
        table = Table(box=None, pad_edge=False, show_header=False)
        for figure, spread in figures.items():
            if not figure.endswith("MiB"):  # they are in the file
                table.add_row(figure, str(spread))
        console.print(table)
    console.print()
    for result in kept.results:
        if result.verdict:
            told = f"{result.scenario}, {result.settings['mode']}, seed {result.settings['seed']}"
            console.print(f"[yellow]{result.verdict.name}[/] ({int(result.verdict)}): {told}", highlight=False)
            for reason in result.reasons:
                console.print(f"  {reason}", highlight=False, soft_wrap=True)
    for failure in kept.failures:
        console.print(f"[red]failed[/] ({failure.exit_code}): {failure.name}: {escape(failure.reason)}", soft_wrap=True)
    if not whole:
        console.print("[yellow]ended by hand before its time[/]: the run under way is left out", highlight=False)
    if kept.results or kept.failures:
        console.print(f"{len(kept.results)} runs written to {kept.path}", highlight=False, soft_wrap=True)
    else:
        console.print("nothing was measured, no file was written", highlight=False)


def exit_code(kept: ResultSet) -> int:
    """The heaviest verdict of the runs; where all are good, the first failure's code."""
    worst = max((result.verdict for result in kept.results), key=lambda verdict: verdict.weight, default=Verdict.GOOD)
    return int(worst) or next((failure.exit_code for failure in kept.failures), 0)
