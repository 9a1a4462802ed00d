"""Carrying a stopped embedded cluster's data into a server's database, with bars that tell how far it is."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from sqlalchemy import Connection, func, select

from im_cli.admin.on_database import failures_told
from im_cli.data_folder import LOCK_NAME, DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.process.settings import ProcessSettings
from im_infra.bus.abstract import DEAD_LETTER_TOPIC
from im_infra.bus.tables import BUS_RECORD
from im_infra.observability import logs
from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqliteSettings, SqlSettings
from im_repo.transfer.errors import DifferenceError, TransferError
from im_repo.transfer.source import Source
from im_repo.transfer.transfer import CarriedTable, Transfer

_EMPTY_IT: Final = "empty the database (DROP DATABASE …, CREATE DATABASE …) and run the command again"


@dataclass(frozen=True, slots=True)
class Carried:
    """What is in the target now, the same as in the source."""

    tables: list[CarriedTable]
    arrived_before: int
    """Rows that an earlier run had carried."""
    dead_letters: int
    """Records in the embedded bus that were given up."""
    waiting_records: int
    """Records in the embedded bus that were not consumed."""


def carry_data(folder: DataFolder, file: str, settings: ProcessSettings, console: Console) -> Carried:
    """Carry the embedded cluster of `folder` into the database that `settings` name, and compare both.

    Args:
        folder: held meanwhile, so that no cluster runs on it.
        file: its database's name in it.
        settings: of the new cluster.
        console: where the bars go.

    Raises:
        CommandError: IN_THE_WAY: the cluster runs; REFUSED: the target holds something else; STORAGE: a database cannot
            be used, or what arrived differs.
    """
    logs.configure("console", "error")  # stdout and stderr belong to the command's own words
    with folder.locked(), folder.locked(f"{LOCK_NAME}-edge"), failures_told():
        try:
            return asyncio.run(_carry(folder, file, settings.sql, console))
        except DifferenceError as error:
            told = "\n    ".join(("what arrived is not what was sent", *error.differences))
            raise CommandError(told, code=ExitCode.STORAGE, advice=_EMPTY_IT) from error
        except TransferError as error:
            raise CommandError(error.message, code=ExitCode.REFUSED, advice=_EMPTY_IT) from error


async def _carry(folder: DataFolder, file: str, target_settings: SqlSettings, console: Console) -> Carried:
    async with AsyncExitStack() as stack:
        here = SqlSettings(kind="sqlite", sqlite=SqliteSettings(path=Path(file)))
        database = await stack.enter_async_context(open_database(here, folder.path))
        target = await stack.enter_async_context(open_database(target_settings, folder.path))
        transfer = Transfer(await Source.open(database), target)
        await transfer.prepare()
        arrived_before = sum(transfer.arrived.values())
        with _Bars("carrying", transfer.counts, transfer.arrived, console) as bars:
            await transfer.carry(bars.told)
        with _Bars("comparing", transfer.counts, {}, console) as bars:
            tables = await transfer.verify(bars.told)
        await transfer.end()
        waiting = await database.read(_count_records)
        return Carried(tables, arrived_before, waiting.pop(DEAD_LETTER_TOPIC, 0), sum(waiting.values()))


def _count_records(connection: Connection) -> dict[str, int]:
    counted = select(BUS_RECORD.c.topic, func.count()).group_by(BUS_RECORD.c.topic)
    return dict(connection.execute(counted).tuples().all())


class _Bars:
    """One bar for the table under way and one for all of them."""

    def __init__(self, doing: str, counts: Mapping[str, int], done: Mapping[str, int], console: Console) -> None:
        self._doing = doing
        self._counts = counts
        self._done = dict(done)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._overall: TaskID = self._progress.add_task(
            f"{doing} all", total=sum(counts.values()), completed=sum(self._done.values())
        )
        self._table: TaskID = self._progress.add_task(doing, total=None)
        self._name = ""

    def told(self, name: str, rows: int) -> None:
        """So many rows more of a table are done."""
        if name != self._name:
            self._name = name
            self._progress.reset(self._table, description=f"{self._doing} {name}", total=self._counts[name])
            self._progress.update(self._table, completed=self._done.get(name, 0))
        self._progress.advance(self._table, rows)
        self._progress.advance(self._overall, rows)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
