"""`im migrate`: bring a database's schema to this version's."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.up import ConfigOption, DataDirOption


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate)


def migrate(*, data_dir: DataDirOption = Path("data"), config: ConfigOption = None) -> None:
    """Bring the schema of a stopped cluster to this version's; `im up` does it by itself."""
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415 - slow imports, only when it runs
    from im_infra.sql.open_database import open_database  # noqa: PLC0415
    from im_repo.migrations.upgrade import HEAD, SchemaError, upgrade  # noqa: PLC0415

    folder = DataFolder(data_dir)
    folder.require_database()
    settings = load_settings(config, {})

    async def run() -> str | None:
        async with open_database(settings.sql, folder.path) as database:
            return await database.write(upgrade)

    with folder.locked():
        try:
            before = asyncio.run(run())
        except SchemaError as error:
            raise CommandError(str(error), code=ExitCode.STORAGE) from error
    told = "nothing to do" if before == HEAD else f"from {before or 'empty'}"
    Console().print(f"the schema is at {HEAD} ({told})", highlight=False)
