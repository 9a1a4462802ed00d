"""`im repo`: what an operator does to the data itself."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_cli.up import ConfigOption, DataDirOption

APP = typer.Typer(help="What an operator does to the data itself.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="repo")


@APP.callback()
def group() -> None:
    """Keep `rewind` a command of its own, though it is the only one."""


@APP.command("rewind")
def rewind(
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Mark the history as rewound: once, after a backup was restored or a replica that lagged was promoted.

    Every process of the cluster must be stopped. Each conversation gets a new epoch, so that clients drop what the
    database no longer has; everybody logs in again; ids are made from an hour ahead on; ranges that waited on Kafka to be
    fanned out are dropped. `im restore` does this by itself.
    """
    from im_cli.admin.rewinding import require_rewindable, rewind_cluster  # noqa: PLC0415 - slow imports, only when it runs

    place = Place(data_dir, config)
    require_rewindable(place)
    if not yes and not typer.confirm("Everybody has to log in again, and clients drop what is gone. Go on?"):
        raise CommandError("nothing was changed", code=ExitCode.REFUSED)
    rewound = rewind_cluster(place)
    Console().print(
        f"{rewound.conversations:,} conversations have a new epoch, {rewound.sessions:,} sessions are ended",
        highlight=False,
    )
