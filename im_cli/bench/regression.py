"""`im bench regression`: a fixed short set, written down, so that a later one can be compared."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from im_bench.report.environment import environment
from im_bench.report.result import SCHEMA_VERSION, Result
from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.groups import GroupsScenario, GroupsSettings
from im_bench.scenarios.mixed import MixedScenario, MixedSettings
from im_bench.scenarios.offline import OfflineScenario, OfflineSettings
from im_bench.scenarios.option import LoadSettings
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_cli.bench.exit_codes import EXIT_CODES
from im_cli.bench.measure import Flags, opened, run_once

SET: Final[tuple[tuple[type[Scenario[Any]], LoadSettings], ...]] = (
    (PrivateScenario, PrivateSettings(pairs=100, rate=500, duration=6, warm_up=1)),
    (GroupsScenario, GroupsSettings(groups=10, members=10, rate=100, duration=6, warm_up=1)),
    (MixedScenario, MixedSettings(users=200, rate=100, duration=6, warm_up=1)),
    (OfflineScenario, OfflineSettings(users=20, conversations=50, rate=10, duration=6, warm_up=1)),
)
"""What is run on each kind of server, in this order: never changed, or nothing could be compared."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("regression", rich_help_panel="What to make of it", epilog=EXIT_CODES)(regression)


def regression(
    folder: Annotated[Path, typer.Option(help="Where the file with the results goes; made if absent.")] = Path(
        "benchmarks"
    ),
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Times that each scenario is run.")] = 3,
    embedded: Annotated[bool, typer.Option(help="Run the set on an embedded cluster.")] = True,
    cluster: Annotated[bool, typer.Option(help="Run the set on a distributed cluster.")] = True,
) -> None:
    """Run a fixed set of short loads on both kinds of cluster, and write the results to one file.

    The file is named after the day and the commit, and holds the machine's processor, cores and kernel. Compare two of
    them with `im bench compare`: what lies within the ranges of the repeats is noise.
    """
    errors, console = Console(stderr=True), Console()
    runs: list[Result] = []
    for mode, wanted in (("embedded", embedded), ("cluster", cluster)):
        if wanted:
            runs += _run_set(Flags(cluster=mode == "cluster"), repeats, errors, console)
    machine = environment()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y-%m-%d')}-{machine['commit'] or machine['version'] or 'unknown'}.json"
    told = {
        "schema_version": SCHEMA_VERSION, "kind": "set", "environment": machine, "repeats": repeats,
        "runs": [{**run.as_json(), "series": [], "histograms": {}} for run in runs],
    }  # fmt: skip
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {path}", highlight=False, soft_wrap=True)
    worst = max(runs, key=lambda run: run.verdict.weight, default=None)
    if worst is not None and worst.verdict:
        raise typer.Exit(worst.verdict)


def _run_set(flags: Flags, repeats: int, errors: Console, console: Console) -> list[Result]:
    runs: list[Result] = []
    with opened(flags, errors) as (target, people):
        for number in range(repeats):
            for scenario, settings in SET:
                each = replace(settings, seed=1 + number)
                result = run_once(scenario, each, flags, target=target, people=people, errors=errors)
                if result.stopped:
                    return runs
                runs.append(result)
                _print(result, console)
    return runs


def _print(result: Result, console: Console) -> None:
    name = "delivery" if "delivery" in result.latency_ms else next(iter(reversed(result.latency_ms)), "")
    p99 = result.latency_ms.get(name, {}).get("p99")
    late = "" if p99 is None else f", {name} p99 {p99:,.1f} ms"
    console.print(
        f"{result.scenario}, {result.settings['mode']}: {result.acked_per_s or 0:,.0f}/s acked{late}: {result.verdict.name}",
        highlight=False,
        soft_wrap=True,
    )
