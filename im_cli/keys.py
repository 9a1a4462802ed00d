"""`im keys`: the keys that sign access tokens."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.secret_file import Secrets, load_or_make, save
from im_cli.up import DataDirOption

APP = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="keys")


@APP.command("make")
def make(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
) -> None:
    """Write the secrets of a new distributed cluster; every process of it is given this file as `secrets.file`."""
    if file.exists():
        raise CommandError(
            f"{file} is there already",
            code=ExitCode.REFUSED,
            advice="a cluster keeps its secrets for good: with other ones everybody has to log in again",
        )
    made = Secrets.make(datetime.now(UTC))
    save(file, made)
    Console().print(f"{file} holds key {made.active.key_id}; keep it secret, and keep a copy", highlight=False)


@APP.command("list")
def list_keys(*, data_dir: DataDirOption = Path("data")) -> None:
    """List the keys; secrets are not shown."""
    folder = DataFolder(data_dir)
    folder.require_database()
    secrets = load_or_make(folder.secrets)
    table = Table("key id", "made", "signs")
    for key in secrets.signing_keys:
        table.add_row(key.key_id, key.created_time, "yes" if key == secrets.active else "")
    Console().print(table)


@APP.command("rotate")
def rotate(
    *,
    data_dir: DataDirOption = Path("data"),
    keep_hours: Annotated[
        float,
        typer.Option(min=0, help="Keys replaced longer ago than this are dropped; longer than any access token lives."),
    ] = 1.0,
) -> None:
    """Make a new key that signs from the next start on; tokens of the old one stay good until they expire."""
    folder = DataFolder(data_dir)
    folder.require_database()
    rotated = load_or_make(folder.secrets).rotated(datetime.now(UTC), keep_for=timedelta(hours=keep_hours))
    save(folder.secrets, rotated)
    Console().print(
        f"key {rotated.active.key_id} signs from the next start of the cluster on; {len(rotated.signing_keys)} keys verify",
        highlight=False,
    )
