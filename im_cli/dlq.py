"""`im dlq`: records that were given up, with the reason."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from im_cli.exit_code import CommandError, ExitCode
from im_cli.on_database import on_database
from im_cli.up import DataDirOption
from im_infra.bus.abstract import Bus, DeadLetter
from im_infra.bus.open_bus import open_bus
from im_infra.bus.settings import BusSettings
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database

APP = typer.Typer(help="Records that were given up after their last try, with the reason.", no_args_is_help=True)
T = TypeVar("T")


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="dlq")


@APP.command("list")
def list_dead_letters(
    *,
    data_dir: DataDirOption = Path("data"),
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
) -> None:
    """List dead letters."""
    letters = _on_bus(data_dir, lambda bus: bus.dead_letters(limit=limit))
    if not letters:
        Console().print("no dead letters")
        return
    table = Table("id", "time", "topic", "position", "attempts", "error")
    for letter in letters:
        record = letter.record
        table.add_row(
            letter.dead_letter_id, _time(letter), record.topic, record.position, str(record.attempts), letter.error[:80]
        )
    Console().print(table)


@APP.command("show")
def show(
    dead_letter_id: Annotated[str, typer.Argument(help="The id that `im dlq list` prints.")],
    *,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """Show one dead letter whole."""
    for letter in _on_bus(data_dir, lambda bus: bus.dead_letters(limit=10_000)):
        if letter.dead_letter_id == dead_letter_id:
            record = letter.record
            rows = {
                "time": _time(letter),
                "topic": record.topic,
                "position": record.position,
                "attempts": record.attempts,
                "error": letter.error,
                "key": record.key.hex(),
                "headers": dict(record.headers),
                "value": record.value.hex(),
            }
            for name, value in rows.items():
                Console().print(f"[bold]{name}[/] {value}", highlight=False, soft_wrap=True)
            return
    raise _unknown(dead_letter_id)


@APP.command("redrive")
def redrive(
    dead_letter_id: Annotated[str, typer.Argument(help="The id that `im dlq list` prints.")],
    *,
    data_dir: DataDirOption = Path("data"),
) -> None:
    """Publish a dead letter to its topic again."""
    if not _on_bus(data_dir, lambda bus: bus.redrive(dead_letter_id)):
        raise _unknown(dead_letter_id)
    Console().print(f"{dead_letter_id} is on its way again", highlight=False)


def _unknown(dead_letter_id: str) -> CommandError:
    return CommandError(
        f"there is no dead letter {dead_letter_id}", code=ExitCode.REFUSED, advice="`im dlq list` names them"
    )


def _time(letter: DeadLetter) -> str:
    return datetime.fromtimestamp(letter.time / 1000, UTC).isoformat(sep=" ", timespec="seconds")


def _on_bus(data_dir: Path, work: Callable[[Bus], Awaitable[T]]) -> T:
    async def on(database: Database) -> T:
        async with open_bus(BusSettings(), database=database, clock=SystemClock(), metrics=Metrics()) as bus:
            return await work(bus)

    return on_database(data_dir, on)
