"""`im backup` and `im restore`: an embedded cluster in one file, and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from im_cli import archive
from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.up import ConfigOption, DataDirOption
from im_cli.version import installed_version

if TYPE_CHECKING:
    from im_cli.process.settings import ProcessSettings


def add_to(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    target: Annotated[Path | None, typer.Argument(help="The file to write; im-backup-TIME.tar unless named.")] = None,
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Write an embedded cluster's data and secrets to one file, while it runs. Keep the file safe: it holds secrets."""
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415 - slow imports, only when it runs

    _require_embedded("backup", load_settings(config, {}))
    folder = DataFolder(data_dir)
    folder.require_database()
    path = target or Path(f"im-backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar")
    with Progress(transient=True) as progress:
        bar = progress.add_task("copying", total=None)
        archive.create(
            folder,
            path,
            version=installed_version(),
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    Console().print(
        f"{path} ({path.stat().st_size / 2**20:.1f} MiB) holds the cluster in {folder.path}", highlight=False
    )


def restore(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that `im backup` wrote.")],
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
) -> None:
    """Unpack a backup into an empty folder and mark its history as rewound.

    What was written after the backup is gone, so every conversation gets a new epoch: clients drop what the server no
    longer has, and everybody logs in again.
    """
    from im_cli.admin.rewinding import rewind_database  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415

    settings = load_settings(config, {})
    _require_embedded("restore", settings)
    folder = DataFolder(data_dir)
    folder.create()
    with folder.locked():
        manifest = archive.extract(source, folder)
        rewind_database(settings.sql, folder.path)
    Console().print(
        f"the cluster of {manifest.created_time} is in {folder.path}; its history has a new epoch and everybody logs in again",
        highlight=False,
    )


def _require_embedded(command: str, settings: "ProcessSettings") -> None:
    if settings.sql.kind != "sqlite":
        raise CommandError(
            f"`im {command}` is for the embedded cluster, and the settings name a database server",
            code=ExitCode.USAGE,
            advice="docs/how-to/back-up-a-cluster.md says how that one is saved and restored",
        )
