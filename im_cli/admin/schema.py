"""Bringing a database's schema to this version's."""

import asyncio
from pathlib import Path

from im_infra.observability import logs
from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqlSettings
from im_repo.migrations.upgrade import upgrade


def bring_to_head(settings: SqlSettings, data_dir: Path) -> str | None:
    """Upgrade, and return the revision that was there before; None: the database was empty.

    Raises:
        SchemaError: it is newer, or not ours.
        ImError: it cannot be reached.
    """
    logs.configure("console", "error")  # stdout and stderr belong to the command's own words

    async def run() -> str | None:
        async with open_database(settings, data_dir) as database:
            return await database.write(upgrade)

    return asyncio.run(run())
