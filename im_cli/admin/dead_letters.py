"""Dead letters, read and redriven beside the running cluster."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from im_cli.admin.on_database import on_database
from im_infra.bus.abstract import Bus, DeadLetter
from im_infra.bus.open_bus import open_bus
from im_infra.bus.settings import BusSettings
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database

T = TypeVar("T")


def oldest(data_dir: Path, *, limit: int) -> list[DeadLetter]:
    """The oldest dead letters."""
    return _on_bus(data_dir, lambda bus: bus.dead_letters(limit=limit))


def redrive(data_dir: Path, dead_letter_id: str) -> bool:
    """Publish one again; False if there is none of that id."""
    return _on_bus(data_dir, lambda bus: bus.redrive(dead_letter_id))


def _on_bus(data_dir: Path, work: Callable[[Bus], Awaitable[T]]) -> T:
    async def on(database: Database) -> T:
        async with open_bus(BusSettings(), database=database, clock=SystemClock(), metrics=Metrics()) as bus:
            return await work(bus)

    return on_database(data_dir, on)
