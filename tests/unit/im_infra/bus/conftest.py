"""A bus with short waits, and a handler that a test holds back."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from im_infra.bus.abstract import Record
from im_infra.bus.embedded import EmbeddedBus
from im_infra.bus.settings import BusSettings
from im_infra.clock import ManualClock
from im_infra.sql.sqlite import SqliteDatabase


class Gate:
    """A handler that waits to be let through."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.effects: list[bytes] = []

    async def __call__(self, records: Sequence[Record]) -> None:
        self.begun.set()
        await self.open.wait()
        self.effects.extend(record.value for record in records)

    async def until(self, *effects: bytes) -> None:
        async with asyncio.timeout(5):
            while self.effects != list(effects):
                await asyncio.sleep(0.002)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def bus(database: SqliteDatabase, clock: ManualClock) -> AsyncIterator[EmbeddedBus]:
    opened = EmbeddedBus(database, clock, settings=BusSettings(first_backoff_ms=2, poll_interval_ms=20))
    yield opened
    await opened.close()
