"""`im bench search SCENARIO`: the highest rate that a server sustains."""

import dataclasses
import json
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from im_bench.capacity.search import Bounds, GeneratorTooSlowError, Search, why_not
from im_bench.capacity.searched import Searched
from im_bench.capacity.sweep_page import sweep_page
from im_bench.report.environment import environment
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.report.whole_file import write_whole
from im_bench.run.target import Target
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import MOST_PER_S, MOST_S, LoadSettings
from im_cli.bench.duration import seconds
from im_cli.bench.exit_codes import OF_A_SEARCH
from im_cli.bench.measure import Flags, check, opened, run_once
from im_cli.bench.people import PeopleSource
from im_cli.bench.scenario_group import add_group
from im_cli.exit_code import CommandError, ExitCode

OWN: Final[dict[str, tuple[Any, Any]]] = {
    "p99": (Annotated[str, typer.Option(help="What the 99th percentile of latency may be at most: `200ms`, `1s`.")], "200ms"),
    "least": (Annotated[float, typer.Option(min=0.1, max=MOST_PER_S, help="The first rate; it is doubled until it breaks.")], 200.0),
    "most": (Annotated[float, typer.Option(min=0.1, max=MOST_PER_S, help="No rate above this one.")], 100_000.0),
    "precision": (
        Annotated[float, typer.Option(min=0.01, max=1, help="Stop when what broke is so little above what held.")], 0.1,
    ),
}  # fmt: skip
BY_HAND: Final = "stopped by hand"


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    add_group(
        app,
        search,
        told="Find the highest rate that a server sustains.",
        told_of=lambda name: (
            f"Raise the rate of `{name}` until p99 is above a limit, or what was offered is not acked, or a message is lost; "
            "then halve the distance.\n\nReports the highest rate that held, with every step; --html draws what each rate cost and how late it was."
        ),
        codes=OF_A_SEARCH,
        own=OWN,
        without=("rate", "expect"),
    )


def search(
    scenario: type[Scenario[Any]],
    settings: LoadSettings,
    flags: Flags,
    *,
    p99: str,
    least: float,
    most: float,
    precision: float,
) -> None:
    """Search, show each step, write what is wanted.

    Raises:
        CommandError: wrong usage, or the run did not take place.
    """
    try:
        p99_ms = 1000 * seconds(p99, needs_unit=True)
    except typer.BadParameter as error:
        raise CommandError(f"--p99 {p99}: write 200ms or 1s", code=ExitCode.USAGE) from error
    if not 0 < p99_ms <= 1000 * MOST_S:
        raise CommandError(f"--p99 {p99}: write more than 0 and at most {MOST_S:,} s", code=ExitCode.USAGE)
    if getattr(settings, "closed", False):
        raise CommandError("--closed has no rate to search", code=ExitCode.USAGE)
    if least > most:
        raise CommandError("--least must not be above --most", code=ExitCode.USAGE)
    check(scenario, settings, flags, rewritten=True)
    kept = Searched(Search(Bounds(least, most, precision)), scenario.name, p99_ms)
    failure: Exception | None = None
    with opened(flags, Console(stderr=True)) as (target, people):
        try:
            end = run_all(kept, scenario, settings, flags, target=target, people=people)
        except KeyboardInterrupt:  # between two runs: within one it ends the load alone
            end = BY_HAND
        except CommandError as error:
            if not kept.steps:
                raise
            interrupted = error.code is ExitCode.INTERRUPTED
            end, failure = BY_HAND if interrupted else "a run failed", error
    conclude(kept, flags, Console(), p99=p99, end=end)
    if failure is not None:
        raise failure
    if kept.rule.held is None:
        raise typer.Exit(Verdict.TARGET_MISSED)


def run_all(
    kept: Searched,
    scenario: type[Scenario[Any]],
    settings: LoadSettings,
    flags: Flags,
    *,
    target: Target,
    people: PeopleSource,
) -> str:
    """Run what the rule asks for; returns why there was no more. What has ended is in the file at once.

    Raises:
        CommandError: a run did not take place.
    """
    while (rate := kept.rule.next_rate()) is not None:
        each = dataclasses.replace(settings, rate=rate)
        result = run_once(scenario, each, flags, target=target, people=people, errors=Console(stderr=True))
        if result.stopped:
            return BY_HAND
        try:
            reason = why_not(result, p99_ms=kept.p99_ms)
        except GeneratorTooSlowError as error:
            return f"the load tester was the bottleneck: {error}"
        kept.add(rate, result, reason)
        show(len(kept.steps), rate, result, reason)
        write(kept, flags, end="more runs were to come")
    return kept.rule.end


def write(kept: Searched, flags: Flags, *, end: str) -> None:
    """Write the file, if one is wanted."""
    if flags.json_file is not None:
        write_whole(flags.json_file, json.dumps(kept.as_json(environment(), end=end), indent=2) + "\n")


def show(number: int, rate: float, result: Result, reason: str) -> None:
    """One step in a line."""
    name = "delivery" if "delivery" in result.latency_ms else next(iter(reversed(result.latency_ms)), "")
    p99 = result.latency_ms.get(name, {}).get("p99")
    told = "" if p99 is None else f", {name} p99 {p99:,.1f} ms"
    verdict = f"[yellow]broke[/]: {reason}" if reason else "[green]held[/]"
    acked = result.acked_per_s or 0
    Console().print(f"step {number}: {rate:,.0f}/s offered, {acked:,.0f}/s acked{told}: {verdict}", highlight=False)


def conclude(kept: Searched, flags: Flags, console: Console, *, p99: str, end: str) -> None:
    """Tell what was found, and write the files."""
    told = found(kept.rule, p99=p99, end=end)
    console.print(f"[yellow]{told}[/]" if kept.rule.held is None else f"[bold]{told}[/]", highlight=False)
    write(kept, flags, end=end)
    if flags.html_file is not None and kept.runs:
        flags.html_file.write_text(sweep_page(kept.as_sweep(), end=told), encoding="utf-8")


def found(rule: Search, *, p99: str, end: str) -> str:
    """What a search found, in a sentence."""
    if rule.held is None:
        return f"no rate held ({end})"
    broke = "nothing broke" if rule.broke is None else f"{rule.broke:,.0f}/s broke"
    return f"{rule.held:,.0f}/s is the highest that held with p99 ≤ {p99} ({broke}; {end})"
