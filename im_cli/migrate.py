"""`im migrate`: bring a database's schema to this version's."""

from contextlib import nullcontext
from pathlib import Path

import typer
from rich.console import Console

from im_cli.data_folder import DataFolder
from im_cli.place import Place
from im_cli.up import ConfigOption, DataDirOption


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate)


def migrate(*, data_dir: DataDirOption = Path("data"), config: ConfigOption = None) -> None:
    """Bring a database's schema to this version's; `im up` and `im serve repo` do it by themselves when they start.

    An embedded cluster must be stopped. A server's database may be served meanwhile by processes of the version before.
    """
    from im_cli.admin.on_database import failures_told, settings_of  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.admin.schema import bring_to_head  # noqa: PLC0415
    from im_repo.migrations.upgrade import HEAD  # noqa: PLC0415

    settings = settings_of(Place(data_dir, config))
    held = DataFolder(data_dir).locked() if settings.sql.kind == "sqlite" else nullcontext()
    with held, failures_told():
        before = bring_to_head(settings.sql, data_dir)
    told = "nothing to do" if before == HEAD else f"from {before or 'empty'}"
    Console().print(f"the schema is at {HEAD} ({told})", highlight=False)
