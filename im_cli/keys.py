"""`im keys`: the keys that sign access tokens."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.secret_file import SIGNS_AFTER, Secrets, read, save
from im_cli.up import ConfigOption, DataDirOption

FileOption = Annotated[
    Path | None,
    typer.Option(
        help="The file itself, in place of the one that the settings or the data folder name.", metavar="PATH"
    ),
]
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
    Console().print(f"{file} holds key {made.newest.key_id}; keep it secret, and keep a copy", highlight=False)


@APP.command("list")
def list_keys(*, data_dir: DataDirOption = Path("data"), config: ConfigOption = None, file: FileOption = None) -> None:
    """List the keys; secrets are not shown."""
    secrets = read(_path(data_dir, config, file))
    signing = secrets.signing(datetime.now(UTC))
    table = Table("key id", "made", "signs")
    for key in secrets.signing_keys:
        table.add_row(key.key_id, key.created_time, "yes" if key == signing else "")
    Console().print(table)


@APP.command("rotate")
def rotate(
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    file: FileOption = None,
    keep_hours: Annotated[
        float,
        typer.Option(min=0, help="Keys replaced longer ago than this are dropped; longer than any access token lives."),
    ] = 1.0,
) -> None:
    """Make a new key; tokens of the old one stay good until they expire.

    Running processes follow the file: they verify with the new key within two seconds, and sign with it two minutes after
    it was made, when all of them have read it.
    """
    path, now = _path(data_dir, config, file), datetime.now(UTC)
    rotated = read(path).rotated(now, keep_for=timedelta(hours=keep_hours))
    save(path, rotated)
    minutes = SIGNS_AFTER.total_seconds() / 60
    when = "at once" if rotated.signing(now) == rotated.newest else f"in {minutes:.0f} minutes"
    Console().print(
        f"key {rotated.newest.key_id} signs {when}; {len(rotated.signing_keys)} keys verify", highlight=False
    )


def _path(data_dir: Path, config: Path | None, file: Path | None) -> Path:
    """The file that is named; that of the settings; the embedded cluster's own."""
    if file is not None:
        return file
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415 - slow imports, only where it is asked

    settings = load_settings(config, {})
    if settings.secrets.file is not None:
        return settings.secrets.file
    if settings.is_distributed:
        raise CommandError(
            "secrets.file is not set", code=ExitCode.USAGE, advice="name the file that every process is given: --file"
        )
    folder = DataFolder(data_dir)
    folder.require_database()
    return folder.secrets
