"""What an embedded cluster's data folder holds: the secrets, and a database that is whole and durable."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection, select

from im_cli.data_folder import DataFolder
from im_cli.doctor import machine
from im_cli.exit_code import CommandError
from im_cli.secret_file import load_or_make
from im_infra.errors import ImError
from im_infra.finding import Finding, Grade
from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqlSettings
from im_repo.migrations.upgrade import require_head
from im_repo.schema import CLOCK

SKEW_MS: Final = 30_000
"""The database's clock may lie so far behind its own high-water mark before syncs must start anew."""


def is_held(folder: DataFolder) -> bool:
    """Whether a cluster runs on the folder now."""
    if not folder.path.exists():
        return False
    try:
        with folder.locked():
            return False
    except CommandError:
        return True


def examine_folder(folder: DataFolder, settings: SqlSettings) -> Iterator[Finding]:
    """Look at the folder."""
    yield machine.disk(folder.path)
    if not folder.database.exists():
        yield Finding(Grade.GOOD, "database", "none yet; the first `im up` makes it")
        return
    yield _secrets(folder)
    yield from asyncio.run(_database(folder, settings))


def _secrets(folder: DataFolder) -> Finding:
    try:
        found = load_or_make(folder.secrets)
    except CommandError as error:
        return Finding(Grade.BAD, "secrets", error.message, error.advice)
    return Finding(Grade.GOOD, "secrets", f"{len(found.signing_keys)} signing keys, readable by their owner only")


async def _database(folder: DataFolder, settings: SqlSettings) -> list[Finding]:
    looks: tuple[Callable[[Connection], Finding], ...] = (_durability, _integrity, _clock)
    try:
        async with open_database(settings, folder.path) as database:
            await database.read(require_head)
            return [await database.read(look) for look in looks]
    except ImError as error:
        return [
            Finding(Grade.BAD, "database", error.message, "restore a backup into an empty folder with `im restore`")
        ]


def _durability(connection: Connection) -> Finding:
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    told = f"journal_mode={journal} synchronous={synchronous}"
    if journal != "wal" or synchronous != 2:
        return Finding(Grade.BAD, "durability", told, "an acked message could be lost with the power: report this")
    return Finding(Grade.GOOD, "durability", f"{told}: what is acked survives a power cut")


def _integrity(connection: Connection) -> Finding:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        return Finding(Grade.BAD, "integrity", str(verdict), "restore a backup into an empty folder with `im restore`")
    return Finding(Grade.GOOD, "integrity", "the database file is whole")


def _clock(connection: Connection) -> Finding:
    high = connection.scalar(select(CLOCK.c.high_time))
    behind = (high or 0) - time.time_ns() // 1_000_000
    if behind > SKEW_MS:
        return Finding(
            Grade.BAD, "clock", f"{behind / 1000:.0f} s behind the time of its last run", "set it; run a time service"
        )
    return Finding(Grade.GOOD, "clock", "not behind the time of the last run")
