"""`im bench sweep SCENARIO`: how cost and latency grow with one setting."""

import dataclasses
import json
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from im_bench.capacity.sweep import Axis, Sweep, Value
from im_bench.capacity.sweep_page import sweep_page
from im_bench.capacity.sweep_table import sweep_table
from im_bench.report.environment import environment
from im_bench.report.verdict import Verdict
from im_bench.report.whole_file import write_whole
from im_bench.run.target import Target
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import Settings
from im_cli.bench.axis import parse_axis
from im_cli.bench.exit_codes import OF_RUNS
from im_cli.bench.measure import Flags, check, opened, run_once
from im_cli.bench.people import PeopleSource
from im_cli.bench.scenario_group import add_group
from im_cli.exit_code import CommandError, ExitCode

OWN: Final[dict[str, tuple[Any, Any]]] = {
    "over": (
        Annotated[str, typer.Option(help="The setting that is varied, and its values: `members=10,100,1000`.")], ...,
    ),
    "rounds": (Annotated[int, typer.Option(min=1, max=20, help="Times that every value is run, in turn.")], 2),
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    add_group(
        app,
        sweep,
        told="Find out how cost and latency grow with one setting of a scenario.",
        told_of=lambda name: (
            f"Run `{name}` at several values of one of its settings, round after round, each run with accounts of its own."
            "\n\nReports what each thing done cost the server's processors at each value, by process, with its latency and "
            "the range over the rounds."
        ),
        codes=OF_RUNS,
        own=OWN,
        without=("expect",),
    )


def sweep(scenario: type[Scenario[Any]], settings: Settings, flags: Flags, *, over: str, rounds: int) -> None:
    """Sweep, show each run, write what is wanted; what has ended is in the file at once.

    Raises:
        CommandError: wrong usage, or a run did not take place.
    """
    axis = checked_axis(scenario, settings, flags, over)
    kept, console = Sweep(axis, rounds=rounds), Console()
    failure: Exception | None = None
    end, by_hand = "all values were run", "ended by hand before its time, the run under way is left out"
    with opened(flags, Console(stderr=True)) as (target, people):
        try:
            if not run_all(kept, scenario, settings, flags, target=target, people=people, console=console):
                end = by_hand
        except KeyboardInterrupt:  # between two runs: within one it ends the load alone
            end = by_hand
        except CommandError as error:
            if not kept.runs:
                raise
            ended_by_hand = error.code is ExitCode.INTERRUPTED
            end, failure = by_hand if ended_by_hand else "a run failed, and no other was begun", error
    conclude(kept, flags, console, end=end)
    if failure is not None:
        raise failure
    worst = max((result.verdict for _, result in kept.runs), key=lambda verdict: verdict.weight)
    if worst is not Verdict.GOOD:
        raise typer.Exit(worst)


def checked_axis(scenario: type[Scenario[Any]], settings: Settings, flags: Flags, over: str) -> Axis:
    """What is varied, once nothing is wrong with any of the runs.

    Raises:
        CommandError: something is.
    """
    try:
        axis = parse_axis(over, scenario.settings_type)
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from error
    if axis.setting in flags.named_settings:
        flag = axis.setting.replace("_", "-")
        raise CommandError(
            f"--over {over}: it says what --{flag} is, so that --{flag} means nothing", code=ExitCode.USAGE
        )
    for value in axis.values:
        check(scenario, replaced(settings, axis.setting, value), flags, rewritten=True)
    return axis


def run_all(
    kept: Sweep,
    scenario: type[Scenario[Any]],
    settings: Settings,
    flags: Flags,
    *,
    target: Target,
    people: PeopleSource,
    console: Console,
) -> bool:
    """Run what is planned; False when a person ended it before.

    Raises:
        CommandError: a run did not take place.
    """
    errors, setting, plan = Console(stderr=True), kept.axis.setting, list(kept.plan())
    for number, value in plan:
        each = dataclasses.replace(replaced(settings, setting, value), seed=settings.seed + number)
        label = f"run {len(kept.runs) + 1}/{len(plan)}: {kept.axis.at(value)}"
        # Accounts that were in a run before have its conversations, and would cost more than this one's settings say.
        some = people if flags.users_file is not None else PeopleSource(target.endpoint, None, errors)
        result = run_once(scenario, each, flags, target=target, people=some, errors=errors, label=label)
        if result.stopped:
            return False
        kept.add(value, result)
        console.print(f"{label}: {result.acked_per_s or 0:,.0f}/s acked, {result.verdict.name}", highlight=False)
        for reason in result.reasons:
            console.print(f"  {reason}", highlight=False, soft_wrap=True)
        write(kept, flags, end="more runs were to come")
    return True


def replaced(settings: Settings, setting: str, value: Value) -> Settings:
    """The settings with one of them changed."""
    changed: dict[str, Any] = {setting: value}
    return dataclasses.replace(settings, **changed)


def write(kept: Sweep, flags: Flags, *, end: str) -> None:
    """Write the file, if one is wanted."""
    if flags.json_file is not None:
        write_whole(flags.json_file, json.dumps(kept.as_json(environment(), end=end), indent=1) + "\n")


def conclude(kept: Sweep, flags: Flags, console: Console, *, end: str) -> None:
    """Print the table, write the files.

    Raises:
        CommandError: there is nothing to tell.
    """
    if not kept.runs:
        raise CommandError("interrupted: nothing was measured", code=ExitCode.INTERRUPTED)
    head, rows = sweep_table(kept, ranges=False)
    table = Table(box=None, pad_edge=False)
    for name in head:
        table.add_column(name, justify="right", no_wrap=" " not in name, min_width=max(map(len, name.split())))
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table)
    console.print(f"medians; {end}", highlight=False, markup=False)
    write(kept, flags, end=end)
    if flags.html_file is not None:
        flags.html_file.write_text(sweep_page(kept, end=end), encoding="utf-8")
