"""Marking a restored cluster's history as rewound, before any of its processes runs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from im_cli.admin.on_database import failures_told, settings_of
from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_cli.process.leaves import SERVICES
from im_cli.process.settings import ProcessSettings
from im_infra.clock import SystemClock
from im_infra.discovery.open_discovery import open_discovery
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.sql.deadline import allow_time
from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqlSettings
from im_repo.migrations.upgrade import current, upgrade
from im_repo.rewind import Rewound, rewind

_REWIND_S: Final = 3_600
"""Each conversation, cursor and session is written once, in one transaction."""


def require_rewindable(place: Place) -> None:
    """See that there is a cluster to rewind and that it does not run, before anybody is asked anything; nothing is changed.

    Raises:
        CommandError: as `rewind_cluster`.
    """
    with _standing_still(place) as settings, failures_told():
        if asyncio.run(_revision(settings.sql, place.data_dir)) is None:
            raise CommandError(
                "there is no cluster in the database: it is empty",
                code=ExitCode.REFUSED,
                advice="restore its backup first, or correct `sql` in the settings",
            )


def rewind_cluster(place: Place) -> Rewound:
    """Bring the schema up and rewind the history of a cluster that does not run; what waits to be fanned out is dropped.

    Raises:
        CommandError: IN_THE_WAY: a process of it runs; UNREACHABLE: discovery or the bus does not answer; REFUSED,
            STORAGE: as `on_database`.
    """
    with _standing_still(place) as settings:
        with _engines_told():
            asyncio.run(_drop_fanout(settings))
        with failures_told():
            return rewind_database(settings.sql, place.data_dir)


def rewind_database(settings: SqlSettings, data_dir: Path) -> Rewound:
    """Bring a database's schema up and rewind its history.

    Raises:
        SchemaError: it is newer, or not ours.
        ImError: it cannot be used.
    """

    def unit(connection: Connection) -> Rewound:
        allow_time(connection, _REWIND_S)
        return rewind(connection)

    async def run() -> Rewound:
        async with open_database(settings, data_dir) as database:
            await database.write(upgrade)
            return await database.write(unit)

    return asyncio.run(run())


@contextmanager
def _standing_still(place: Place) -> Iterator[ProcessSettings]:
    """The settings of a cluster that nobody serves; one in a folder is held meanwhile."""
    settings = settings_of(place)
    logs.configure("console", "error")  # stdout and stderr belong to the command's own words
    with DataFolder(place.data_dir).locked() if settings.sql.kind == "sqlite" else nullcontext():
        with _engines_told():
            asyncio.run(_require_nobody_serves(settings))
        yield settings


@contextmanager
def _engines_told() -> Iterator[None]:
    """An engine that does not answer ends the command."""
    try:
        yield
    except ImError as error:
        raise CommandError(
            error.message,
            code=ExitCode.UNREACHABLE,
            advice="start the engines first, and no process of the cluster",
        ) from error


async def _require_nobody_serves(settings: ProcessSettings) -> None:
    if settings.discovery.kind == "static":
        return
    async with open_discovery(settings.discovery, database=None, clock=SystemClock(), metrics=Metrics()) as discovery:
        living = sorted(node_id for service in SERVICES for node_id in discovery.nodes(service))
    if living:
        raise CommandError(
            f"the cluster runs: {', '.join(living)}",
            code=ExitCode.IN_THE_WAY,
            advice="stop every process first; one that was killed is listed for some seconds more",
        )


async def _drop_fanout(settings: ProcessSettings) -> None:
    """Drop what would be pushed though it is gone."""
    if settings.bus.kind == "kafka":
        from im_infra.bus.kafka.discard import discard_fanout  # noqa: PLC0415 - slow imports that others never need

        await discard_fanout(settings.bus.kafka)


async def _revision(settings: SqlSettings, data_dir: Path) -> str | None:
    """What the database holds; None: nothing."""
    async with open_database(settings, data_dir) as database:
        return await database.read(current)
