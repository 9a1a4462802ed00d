"""`im bench plan`: how much a cluster needs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from im_bench.capacity.plan import CapacityPlan, Demand, make_plan, read_costs
from im_cli.exit_code import CommandError, ExitCode

MOST_USERS: Final = 10_000_000_000
"""More than there are people."""
MOST_A_DAY: Final = 86_400
"""One each second."""
MOST_PEAK: Final = 86_400
"""A whole day's messages in one second."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan", rich_help_panel="What to make of it")(plan)


def plan(
    *,
    users: Annotated[int, typer.Option(min=1, max=MOST_USERS, help="Accounts.")],
    messages_per_day: Annotated[
        float, typer.Option(min=0, max=MOST_A_DAY, help="Messages that each of them sends a day.")
    ] = 40.0,
    online: Annotated[float, typer.Option(min=0, max=1, help="The share of them connected at the busiest time.")] = 0.2,
    peak: Annotated[float, typer.Option(min=1, max=MOST_PEAK, help="The busiest second over the average one.")] = 5.0,
    text_bytes: Annotated[int, typer.Option(min=1, help="A message's text, on average.")] = 100,
    group_share: Annotated[float, typer.Option(min=0, max=1, help="The share of messages that go to groups.")] = 0.4,
    group_size: Annotated[int, typer.Option(min=2, help="Members of a group, on average.")] = 20,
    keep_days: Annotated[int, typer.Option(min=1, help="Days of history that the disk shall hold.")] = 365,
    hot_days: Annotated[int, typer.Option(min=0, help="Days of history that people read: kept in memory.")] = 7,
    busy: Annotated[
        float, typer.Option(min=0.05, max=1, help="The share of a core that a process may use at the busiest time.")
    ] = 0.5,
    costs: Annotated[
        Path | None, typer.Option(help="TOML file with unit costs of your own, instead of `capacity/unit_costs.toml`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell the processes, memory and disk that a cluster needs: arithmetic on measured unit costs, not a measurement."""
    demand = Demand(
        users, messages_per_day, online, peak, text_bytes, group_share, group_size, keep_days, hot_days, busy
    )
    try:
        made = make_plan(demand, read_costs(costs))
    except ValueError as error:
        raise CommandError(str(error), code=ExitCode.USAGE) from error
    if as_json:
        typer.echo(json.dumps({"demand": asdict(demand), **asdict(made)}, indent=2))
        return
    _print(made, demand, Console())


def _print(made: CapacityPlan, demand: Demand, console: Console) -> None:
    console.print(
        f"at the busiest time {made.connections:,} connections, {made.messages_per_s:,.0f} messages/s, "
        f"{made.deliveries_per_s:,.0f} deliveries/s",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    for name in ("process", "how many", "cores, together", "MiB each", "because of"):
        table.add_column(name, justify="left" if name in {"process", "because of"} else "right")
    for need in made.needs:
        cores = f"{need.cores:.2f}" if need.cores else "little"
        table.add_row(need.name, f"{need.count}", cores, f"{need.mib_each:,.0f}", need.why)
    console.print(table)
    console.print(
        f"disk of the database: {made.disk_gib:,.1f} GiB after {demand.keep_days} days, and "
        f"{made.binary_log_gib_per_day:,.2f} GiB of binary log a day until it is purged\n"
        "Arithmetic on what a unit cost on the machine named in the unit costs; measure on yours before you buy.",
        highlight=False,
    )
