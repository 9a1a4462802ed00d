"""Dead letters, read and redriven beside the running cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from im_cli.admin.on_database import on_database
from im_cli.exit_code import CommandError, ExitCode
from im_cli.place import Place
from im_cli.process.load_settings import load_settings
from im_infra.bus.abstract import Bus, DeadLetter
from im_infra.bus.open_bus import open_bus
from im_infra.bus.settings import BusSettings
from im_infra.clock import SystemClock
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database

T = TypeVar("T")


def oldest(place: Place, *, limit: int) -> list[DeadLetter]:
    """The oldest dead letters."""
    return _on_bus(place, lambda bus: bus.dead_letters(limit=limit))


def redrive(place: Place, dead_letter_id: str) -> bool:
    """Publish one again; False if there is none of that id."""
    return _on_bus(place, lambda bus: bus.redrive(dead_letter_id))


def _on_bus(place: Place, work: Callable[[Bus], Awaitable[T]]) -> T:
    """Do `work` on the bus that the settings name.

    Raises:
        CommandError: as `on_database`; UNREACHABLE where a bus of its own does not answer.
    """
    settings = load_settings(place.config, {}).bus
    if settings.kind == "embedded":
        return on_database(place, lambda database: _with(settings, database, work))
    logs.configure("console", "error")  # stdout and stderr belong to the command's own words
    try:
        return asyncio.run(_with(settings, None, work))
    except ImError as error:
        raise CommandError(error.message, code=ExitCode.UNREACHABLE) from error


async def _with(settings: BusSettings, database: Database | None, work: Callable[[Bus], Awaitable[T]]) -> T:
    async with open_bus(settings, database=database, clock=SystemClock(), metrics=Metrics()) as bus:
        return await work(bus)
