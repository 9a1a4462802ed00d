"""`im bench plan`: how much a cluster needs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from im_bench.capacity.plan import CapacityPlan, Demand, make_plan, read_costs
from im_cli.exit_code import CommandError, ExitCode

MOST_USERS: Final = 10_000_000_000
"""More than there are people."""
MOST_A_DAY: Final = 86_400
"""One each second."""
MOST_PEAK: Final = 86_400
"""A whole day's messages in one second."""
MOST_TEXT: Final = 60_000
"""What `logic.messaging.max_text_bytes` may be set to."""
MOST_MEMBERS: Final = 10_000
"""What a group may hold: `logic.messaging.group_max_members` unless set."""
MOST_DAYS: Final = 36_500
HOT_DAYS: Final = 7
LITTLE: Final = 0.1
"""What is less is told as less, not as the 0 that rounding makes of it."""


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
    text_bytes: Annotated[int, typer.Option(min=1, max=MOST_TEXT, help="A message's text, on average.")] = 100,
    group_share: Annotated[float, typer.Option(min=0, max=1, help="The share of messages that go to groups.")] = 0.4,
    group_size: Annotated[int, typer.Option(min=2, max=MOST_MEMBERS, help="Members of a group, on average.")] = 20,
    keep_days: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, help="Days of history that the disk shall hold.")
    ] = 365,
    hot_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_DAYS,
            help=f"Days of history that people read: kept in memory; {HOT_DAYS} of --keep-days unless set.",
        ),
    ] = None,
    busy: Annotated[
        float, typer.Option(min=0.05, max=1, help="The share of a core that a process may use at the busiest time.")
    ] = 0.5,
    costs: Annotated[
        Path | None, typer.Option(help="TOML file with unit costs of your own, instead of `capacity/unit_costs.toml`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell the processes, memory and disk that a cluster needs: arithmetic on measured unit costs, not a measurement."""
    if hot_days is not None and hot_days > keep_days:
        told = f"--hot-days {hot_days}: people cannot read more days than --keep-days {keep_days}"
        raise CommandError(told, code=ExitCode.USAGE)
    hot_days = min(HOT_DAYS, keep_days) if hot_days is None else hot_days
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
        f"{demand.users:,} users x {demand.messages_per_day:,.10g} messages each = "
        f"{amount(demand.users * demand.messages_per_day)} messages a day ({amount(made.messages_per_s)} a second at the peak)\n"
        f"at the busiest time {made.connections:,} connections, {amount(made.deliveries_per_s)} deliveries/s",
        highlight=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    for name in ("process", "how many", "cores, together", "MiB each", "because of"):
        table.add_column(name, justify="left" if name in {"process", "because of"} else "right")
    for need in made.needs:
        cores = f"{need.cores:,.2f}" if need.cores else "little"
        table.add_row(need.name, f"{need.count:,}", cores, f"{need.mib_each:,.0f}", need.why)
    console.print(table)
    console.print(
        f"disk of the database: {amount(made.disk_gib)} GiB after {demand.keep_days} days, and "
        f"{amount(made.binary_log_gib_per_day)} GiB of binary log a day until it is purged\n"
        "Arithmetic on what a unit cost on the machine named in the unit costs; measure on yours before you buy.",
        highlight=False,
        soft_wrap=True,
    )
    for warning in made.warnings:
        console.print(f"[yellow]{escape(warning)}[/]", highlight=False, soft_wrap=True)


def amount(value: float) -> str:
    """A figure as people read it; one that is not 0 never looks like it."""
    if 0 < value < LITTLE:
        return f"< {LITTLE}"
    return f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}"
