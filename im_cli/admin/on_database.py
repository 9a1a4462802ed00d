"""Running one unit of work on a cluster's database, whether the cluster runs or not.

Engines let several processes in: the commands here are ordinary clients of the database beside the running cluster, and
what they change reaches it the way it reaches any node (revocations are polled each second).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_cli.process.load_settings import load_settings
from im_cli.process.settings import ProcessSettings
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.sql.abstract import Database
from im_infra.sql.open_database import open_database
from im_repo.migrations.upgrade import SchemaError, require_head

T = TypeVar("T")


def settings_of(place: Place) -> ProcessSettings:
    """The cluster's settings.

    Raises:
        CommandError: USAGE: they cannot be used; REFUSED: no cluster was ever started in the data folder they rest on.
    """
    settings = load_settings(place.config, {})
    if settings.sql.kind == "sqlite":
        DataFolder(place.data_dir).require_database()
    return settings


def on_database(place: Place, work: Callable[[Database], Awaitable[T]]) -> T:
    """Open the database, see that its schema is this version's, and do `work`.

    Raises:
        CommandError: REFUSED where there is no cluster or the work was refused; STORAGE where the database is unusable.
    """
    settings = settings_of(place)
    logs.configure("console", "warning")  # stdout and stderr belong to the command's own words

    async def run() -> T:
        async with open_database(settings.sql, place.data_dir) as database:
            await database.read(require_head)
            return await work(database)

    with failures_told():
        return asyncio.run(run())


@contextmanager
def failures_told() -> Iterator[None]:
    """What the database or a rule says to an operator's work ends the command, with its words."""
    try:
        yield
    except SchemaError as error:
        raise CommandError(error.message, code=ExitCode.STORAGE) from error
    except ImError as error:
        code = ExitCode.STORAGE if error.retryable else ExitCode.REFUSED
        raise CommandError(error.message, code=code) from error
