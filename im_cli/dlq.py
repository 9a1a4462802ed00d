"""`im dlq`: records that were given up, with the reason."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_cli.up import ConfigOption, DataDirOption

if TYPE_CHECKING:
    from im_infra.bus.abstract import DeadLetter

APP = typer.Typer(help="Records that were given up after their last try, with the reason.", no_args_is_help=True)
MOST: Final = 10_000
"""Dead letters that are looked through for one id."""


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="dlq")


@APP.command("list")
def list_dead_letters(
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
) -> None:
    """List dead letters."""
    from im_cli.admin import dead_letters  # noqa: PLC0415 - slow imports, only when it runs

    letters = dead_letters.oldest(Place(data_dir, config), limit=limit)
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
    config: ConfigOption = None,
) -> None:
    """Show one dead letter whole."""
    from im_cli.admin import dead_letters  # noqa: PLC0415 - as above

    for letter in dead_letters.oldest(Place(data_dir, config), limit=MOST):
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
    config: ConfigOption = None,
) -> None:
    """Publish a dead letter to its topic again."""
    from im_cli.admin import dead_letters  # noqa: PLC0415 - as above

    if not dead_letters.redrive(Place(data_dir, config), dead_letter_id):
        raise _unknown(dead_letter_id)
    Console().print(f"{dead_letter_id} is on its way again", highlight=False)


def _unknown(dead_letter_id: str) -> CommandError:
    return CommandError(
        f"there is no dead letter {dead_letter_id}", code=ExitCode.REFUSED, advice="`im dlq list` names them"
    )


def _time(letter: "DeadLetter") -> str:
    return datetime.fromtimestamp(letter.time / 1000, UTC).isoformat(sep=" ", timespec="seconds")
