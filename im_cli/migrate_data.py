"""`im migrate-data`: an embedded cluster's data becomes that of a distributed one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from im_cli.data_folder import DATABASE_NAME, DataFolder
from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from im_cli.admin.carry_data import Carried
    from im_cli.process.settings import ProcessSettings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate-data")(migrate_data)


def migrate_data(
    *,
    source: Annotated[str, typer.Option("--from", help="`sqlite:PATH`: the embedded cluster's data folder.")],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            help="`mysql:FILE`: the new cluster's settings; `mysql:` alone where the `IM_*` variables say it all.",
        ),
    ],
) -> None:
    """Carry a stopped embedded cluster's data into an empty MySQL or MariaDB database, and compare every row of it there.

    Ids, seqs, sessions and tokens stay valid. The folder is only read. Killed or cut off, the same command goes on where
    it was; until it has compared everything, nothing serves the new database. The password comes from the settings:
    `sql.mysql.password`, `IM_SQL__MYSQL__PASSWORD` or `IM_SQL__MYSQL__PASSWORD_FILE`.
    """
    from im_cli.admin.carry_data import carry_data  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415

    path, config = Path(_after("sqlite", source, "--from")), _after("mysql", target, "--to")
    if not str(path):
        raise typer.BadParameter("--from needs a path: sqlite:PATH")
    folder, file = (DataFolder(path.parent), path.name) if path.is_file() else (DataFolder(path), DATABASE_NAME)
    folder.require_database()
    settings = load_settings(Path(config) if config else None, {})
    if settings.sql.kind != "mysql":
        raise CommandError(
            "sql.kind is not `mysql` in the settings that --to names",
            code=ExitCode.USAGE,
            advice="name the file that the new cluster's processes are given with --config",
        )
    console = Console(highlight=False)
    _tell(console, carry_data(folder, file, settings, console), folder, settings)


def _after(kind: str, place: str, option: str) -> str:
    found, colon, where = place.partition(":")
    if found != kind or not colon:
        raise typer.BadParameter(f"{option} is `{kind}:…`, not `{place}`")
    return where


def _tell(console: Console, carried: "Carried", folder: DataFolder, settings: "ProcessSettings") -> None:
    table = Table("table", "rows", "compared by")
    for each in carried.tables:
        if each.rows:
            table.add_row(
                each.name, f"{each.rows:,}", f"{each.groups:,} x {each.grouped_by}" if each.grouped_by else "all"
            )
    console.print(table)
    total = sum(each.rows for each in carried.tables)
    before = f" ({carried.arrived_before:,} of them by an earlier run)" if carried.arrived_before else ""
    console.print(f"{total:,} rows are carried{before}, and both sides have the same checksums", soft_wrap=True)
    if settings.bus.kind != "embedded" and (carried.dead_letters or carried.waiting_records):
        console.print(
            f"[yellow]told, not carried:[/] the embedded bus holds {carried.dead_letters} dead letters and "
            f"{carried.waiting_records} waiting records; `im dlq list --data-dir {folder.path}` shows the dead ones",
            soft_wrap=True,
        )
    console.print(
        "\nNext"
        f"\n  give every process of the new cluster the secrets of the old one ({folder.secrets}: secrets.file), so that"
        "\n    everybody stays logged in"
        f"\n  never start the old cluster again: keep {folder.path} until the new one has proved itself, then delete it",
        soft_wrap=True,
    )
