"""Choose the member of the family."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database
from im_infra.sql.settings import SqlSettings
from im_infra.sql.sqlite import open_sqlite


@asynccontextmanager
async def open_database(
    settings: SqlSettings, data_dir: Path, *, metrics: Metrics | None = None
) -> AsyncIterator[Database]:
    """The database that the settings name, while the context is open.

    Args:
        settings: which member, and how it is reached.
        data_dir: the folder for files; it exists.
        metrics: where a server's connections in use are told.

    Raises:
        StoreUnavailableError: it cannot be opened, or cannot promise durability.
    """
    match settings.kind:
        case "sqlite":
            async with open_sqlite(data_dir / settings.sqlite.path, settings.sqlite) as database:
                yield database
        case "mysql":
            # The driver and what SQLAlchemy has for it are slow to import, and a file needs neither.
            from im_infra.sql.mysql import open_mysql  # noqa: PLC0415

            async with open_mysql(settings.mysql, metrics) as server:
                yield server
