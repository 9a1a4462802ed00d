"""Storing published records, as many a transaction as wait while the last one commits."""

import asyncio
from collections.abc import Callable
from typing import Final

from im_infra import aio, error_table
from im_infra.bus import record_row
from im_infra.bus.abstract import Record
from im_infra.bus.backlog import Backlog
from im_infra.clock import Clock
from im_infra.errors import ImError
from im_infra.sql.abstract import Database

_RECORDS_PER_COMMIT: Final = 256


class RecordStore:
    """Puts records into the database in the order they come.

    Args:
        database: where to.
        clock: wall time, for their order and age.
        max_waiting: how many may wait for a commit.
        on_stored: called with the topics of each commit.
    """

    def __init__(
        self, database: Database, clock: Clock, *, max_waiting: int, on_stored: Callable[[set[str]], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._backlog = Backlog(max_waiting)  # full: publish answers OVERLOADED
        self._on_stored = on_stored
        self._storing: asyncio.Task[None] | None = None

    async def add(self, record: Record) -> None:
        """Return when the record is committed. Cancelled, it is stored or not.

        Raises:
            ImError: OVERLOADED: too many wait; any error of the database.
        """
        outcome = self._backlog.add(record)
        if self._storing is None:
            self._storing = aio.spawn(self._store(), name="bus.store")
        await outcome

    async def close(self) -> None:
        """Wait until what was added is stored or has failed."""
        if self._storing is not None:
            await asyncio.wait({self._storing})

    async def _store(self) -> None:
        try:
            while batch := self._backlog.take(_RECORDS_PER_COMMIT):
                records = [waiting.record for waiting in batch]
                now_ms = self._clock.now_ms()
                try:
                    await self._database.write(
                        lambda connection, records=records, now_ms=now_ms: record_row.store(connection, records, now_ms)  # type: ignore[misc]
                    )
                except Exception as error:  # noqa: BLE001 - each publisher is told
                    for waiting in batch:
                        waiting.failed(error)
                else:
                    for waiting in batch:
                        waiting.done()
                    self._on_stored({record.topic for record in records})
                finally:
                    for waiting in batch:  # only where neither happened: this was cancelled
                        waiting.failed(ImError(error_table.UNAVAILABLE, "the bus is closing"))
        finally:
            self._storing = None
