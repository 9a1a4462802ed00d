"""Running one unit of work on an embedded cluster's database, whether the cluster runs or not.

SQLite lets several processes in: the commands here are ordinary writers beside the running cluster, and what they
change reaches it the way it reaches any node (revocations are polled each second).
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.process.load_settings import load_settings
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.sql.abstract import Database
from im_infra.sql.open_database import open_database
from im_repo.migrations.upgrade import SchemaError, require_head

T = TypeVar("T")


def on_database(data_dir: Path, work: Callable[[Database], Awaitable[T]], *, config: Path | None = None) -> T:
    """Open the database, see that its schema is this version's, and do `work`.

    Raises:
        CommandError: REFUSED where there is no cluster or the work was refused; STORAGE where the database is unusable.
    """
    folder = DataFolder(data_dir)
    folder.require_database()
    settings = load_settings(config, {})
    logs.configure("console", "warning")  # stdout and stderr belong to the command's own words

    async def run() -> T:
        async with open_database(settings.sql, folder.path) as database:
            await database.read(require_head)
            return await work(database)

    try:
        return asyncio.run(run())
    except SchemaError as error:
        raise CommandError(str(error), code=ExitCode.STORAGE) from error
    except ImError as error:
        code = ExitCode.STORAGE if error.retryable else ExitCode.REFUSED
        raise CommandError(error.message, code=code) from error
