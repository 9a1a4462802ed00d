"""`im bench search SCENARIO`: the highest rate that a server sustains."""

import dataclasses
import json
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from im_bench.capacity.search import Bounds, GeneratorTooSlowError, Search, why_not
from im_bench.report.environment import environment
from im_bench.report.result import SCHEMA_VERSION, Result
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import LoadSettings
from im_cli.bench.duration import seconds
from im_cli.bench.measure import Flags, check, opened, run_once
from im_cli.bench.scenario_group import add_group
from im_cli.exit_code import CommandError, ExitCode

OWN: Final[dict[str, tuple[Any, Any]]] = {
    "p99": (Annotated[str, typer.Option(help="What the 99th percentile of latency may be at most: `200ms`, `1s`.")], "200ms"),
    "least": (Annotated[float, typer.Option(min=0.1, help="The first rate; it is doubled until it breaks.")], 200.0),
    "most": (Annotated[float, typer.Option(min=0.1, help="No rate above this one.")], 100_000.0),
    "precision": (
        Annotated[float, typer.Option(min=0.01, max=1, help="Stop when what broke is so little above what held.")], 0.1,
    ),
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    add_group(
        app,
        search,
        told="Find the highest rate that a server sustains.",
        told_of=lambda name: (
            f"Raise the rate of `{name}` until p99 is above a limit, or what was offered is not acked, or a message is lost; "
            "then halve the distance.\n\nReports the highest rate that held, with every step."
        ),
        own=OWN,
        without=("rate", "expect", "html_file"),
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
    if getattr(settings, "closed", False):
        raise CommandError("--closed has no rate to search", code=ExitCode.USAGE)
    if least > most:
        raise CommandError("--least must not be above --most", code=ExitCode.USAGE)
    check(scenario, settings, flags)
    errors = Console(stderr=True)
    rule, steps = Search(Bounds(least, most, precision)), list[dict[str, Any]]()
    end = "the precision is reached"
    with opened(flags, errors) as (target, people):
        while (rate := rule.next_rate()) is not None:
            each = dataclasses.replace(settings, rate=rate)
            result = run_once(scenario, each, flags, target=target, people=people, errors=errors)
            if result.stopped:
                end = "stopped by hand"
                break
            try:
                reason = why_not(result, p99_ms=p99_ms)
            except GeneratorTooSlowError as error:
                end = f"the load tester was the bottleneck: {error}"
                break
            rule.tell(rate, sustained=not reason)
            steps.append({"rate": rate, "sustained": not reason, "reason": reason, "result": result.as_json()})
            show(len(steps), rate, result, reason)
    conclude(rule, Console(), p99=p99, end=end)
    if flags.json_file is not None:
        told = {
            "schema_version": SCHEMA_VERSION, "kind": "search", "scenario": scenario.name, "p99_ms": p99_ms,
            "highest_per_s": rule.held, "broke_per_s": rule.broke, "end": end, "environment": environment(), "steps": steps,
        }  # fmt: skip
        flags.json_file.write_text(json.dumps(told, indent=2), encoding="utf-8")
    if rule.held is None:
        raise typer.Exit(4)


def show(number: int, rate: float, result: Result, reason: str) -> None:
    """One step in a line."""
    name = "delivery" if "delivery" in result.latency_ms else next(iter(reversed(result.latency_ms)), "")
    p99 = result.latency_ms.get(name, {}).get("p99")
    told = "" if p99 is None else f", {name} p99 {p99:,.1f} ms"
    verdict = f"[yellow]broke[/]: {reason}" if reason else "[green]held[/]"
    acked = result.acked_per_s or 0
    Console().print(f"step {number}: {rate:,.0f}/s offered, {acked:,.0f}/s acked{told}: {verdict}", highlight=False)


def conclude(rule: Search, console: Console, *, p99: str, end: str) -> None:
    """What was found."""
    if rule.held is None:
        console.print(f"[yellow]no rate held[/] ({end})", highlight=False)
        return
    broke = "nothing broke" if rule.broke is None else f"{rule.broke:,.0f}/s broke"
    console.print(
        f"[bold]{rule.held:,.0f}/s[/] is the highest that held with p99 ≤ {p99} ({broke}; {end})", highlight=False
    )
