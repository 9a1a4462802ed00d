"""A scenario run from the command line: target, people, display, result, exit code."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import typer
import uvloop
from rich.console import Console

from im_bench.accounts import made_up
from im_bench.adapters.registry import load_adapter
from im_bench.report.expectations import parse_expectations
from im_bench.report.page.result_page import result_page
from im_bench.report.result import Result
from im_bench.report.summary import print_summary
from im_bench.run.execute import InterruptedRunError, execute
from im_bench.run.first_error import first_error
from im_bench.run.generator import GeneratorBugError, RunFailedError
from im_bench.run.open_files import raise_file_limit
from im_bench.run.plan import Plan
from im_bench.run.target import Target
from im_bench.scenarios.abstract import Scenario, duration_of
from im_bench.scenarios.option import Settings
from im_cli.bench.address import problem_with_source, problem_with_url
from im_cli.bench.advice import advice_on
from im_cli.bench.display import Display
from im_cli.bench.output_file import problem_with
from im_cli.bench.people import PeopleSource, problem_with_users
from im_cli.bench.target import Start, open_target
from im_cli.exit_code import BUG_ADVICE, CommandError, ExitCode

UNSCHEDULED_S: Final = 120.0
"""How long tokens must last for a scenario that does not say how long it drives."""


@dataclass(frozen=True, slots=True)
class Flags:
    """How a scenario is run, whatever it does."""

    url: str | None = None
    cluster: bool = False
    together: bool = False
    ca_file: Path | None = None
    users_file: Path | None = None
    workers: int = 1
    adapter: str = "im"
    source_address: list[str] | None = None
    expect: str | None = None
    json_file: Path | None = None
    html_file: Path | None = None
    named_settings: frozenset[str] = frozenset()
    """Those of the scenario's settings that were written down, and are no defaults."""

    @property
    def server_url(self) -> str | None:
        """Of the server that is named, as results and users files have it; None: one is started."""
        return self.url.rstrip("/") if self.url is not None else None

    @property
    def start(self) -> Start:
        """What is started where no server is named."""
        return Start.TOGETHER if self.together else Start.CLUSTER if self.cluster else Start.EMBEDDED


def measure(scenario: type[Scenario[Any]], settings: Settings, flags: Flags) -> NoReturn:
    """Run a scenario once, show it, write what is wanted, exit with the verdict."""
    check(scenario, settings, flags)
    errors = Console(stderr=True)
    with opened(flags, errors) as (target, people):
        result = run_once(scenario, settings, flags, target=target, people=people, errors=errors)
    print_summary(result, Console())
    write(result, flags)
    raise typer.Exit(result.verdict)


@contextmanager
def opened(flags: Flags, errors: Console) -> Iterator[tuple[Target, PeopleSource]]:
    """A server to drive, and where its people come from; SIGTERM ends both as an error would."""
    raise_file_limit()
    opening = open_target(flags.url, start=flags.start, ca_file=flags.ca_file, adapter=flags.adapter, console=errors)
    with ending_on_sigterm(), opening as target:
        yield target, PeopleSource(target.endpoint, flags.users_file, errors)


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the command as an error would: what was started for it is stopped, nothing is kept of the run."""

    def end(number: int, _frame: object) -> None:
        def leave() -> NoReturn:
            raise SystemExit(128 + number)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            leave()
        loop.call_soon_threadsafe(leave)  # raised in a task it would be that task's, and told as never retrieved

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write(result: Result, flags: Flags) -> None:
    """Write the files that are wanted."""
    told = result.as_json()
    if flags.json_file is not None:
        flags.json_file.write_text(json.dumps(told, indent=2), encoding="utf-8")
    if flags.html_file is not None:
        flags.html_file.write_text(result_page(told), encoding="utf-8")


def check(scenario: type[Scenario[Any]], settings: Settings, flags: Flags, *, rewritten: bool = False) -> None:
    """Find what is wrong with the flags before anything is started.

    Args:
        scenario: what is run.
        settings: of the run.
        flags: of the command.
        rewritten: the JSON file is written anew after each of several runs.

    Raises:
        CommandError: something is.
    """
    try:
        load_adapter(flags.adapter)
        expectations = parse_expectations(flags.expect)
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from error
    problem = next(_problems_of_flags(flags, rewritten=rewritten), None)
    problem = (
        problem or scenario.problem(settings) or scenario.vocabulary(local=flags.url is None).problem(expectations)
    )
    wanted = scenario.people(settings)
    if problem is None and flags.adapter != "im" and not scenario.any_adapter:
        problem = f"{scenario.name} speaks our protocol: it has no other --adapter"
    if problem is None and flags.start is not Start.EMBEDDED and (flags.url is not None or flags.adapter != "im"):
        problem = f"--{flags.start} starts a cluster of ours: it goes with neither --url nor another --adapter"
    if problem is None and flags.workers > (most := max(1, wanted.most_workers or wanted.count // wanted.together)):
        problem = f"--workers {flags.workers}: there are people for {most} at most who can have a part of this load"
    if problem is not None:
        raise CommandError(problem, code=ExitCode.USAGE)


def _problems_of_flags(flags: Flags, *, rewritten: bool) -> Iterator[str]:
    """What is wrong with the flags by themselves, whatever is run."""
    if flags.url is not None and (problem := problem_with_url(flags.url)):
        yield problem
    yield from filter(None, map(problem_with_source, flags.source_address or ()))
    if rewritten and flags.json_file is not None and (problem := problem_with(flags.json_file, beside=True)):
        yield problem
    files = [file for file in (flags.json_file, flags.html_file) if file is not None]
    yield from filter(None, map(problem_with, files))
    if len({file.absolute() for file in files}) < len(files):
        yield f"--json and --html are the same file: {files[0]}"
    if flags.users_file is not None and (problem := problem_with_users(flags.users_file, flags.server_url)):
        yield problem


def run_once(
    scenario: type[Scenario[Any]],
    settings: Settings,
    flags: Flags,
    *,
    target: Target,
    people: PeopleSource,
    errors: Console,
    label: str = "",
) -> Result:
    """One run against a target that is there; the progress display calls it by `label`, or by its scenario.

    Raises:
        CommandError: it did not take place.
    """
    wanted = scenario.people(settings)
    if load_adapter(flags.adapter).needs_accounts:
        accounts = people.take(wanted.kind.value, wanted.count, for_s=duration_of(settings) or UNSCHEDULED_S)
    else:
        accounts = made_up(wanted.count)
    plan = Plan(
        scenario, settings, target, accounts, flags.adapter, flags.workers, source_addresses=flags.source_address or ()
    )
    try:
        with Display(errors, label or scenario.name, steps=len(scenario.steps)) as display:
            return uvloop.run(execute(plan, display.listener(), parse_expectations(flags.expect)))
    except InterruptedRunError:
        raise CommandError("interrupted: nothing is kept of the run", code=ExitCode.INTERRUPTED) from None
    except (RunFailedError, GeneratorBugError, ExceptionGroup) as raised:
        error = first_error(raised)
        if isinstance(error, GeneratorBugError):
            told = f"{error}".rstrip() + "\na generator process failed in a way it should not: this is a bug of ours"
            raise CommandError(told, code=ExitCode.INTERNAL, advice=BUG_ADVICE) from error
        if not isinstance(error, RunFailedError):
            raise
        raise CommandError(
            f"the run did not take place: {error}",
            code=ExitCode.IN_THE_WAY,
            advice=advice_on(error.trouble, target.endpoint.url),
        ) from error
