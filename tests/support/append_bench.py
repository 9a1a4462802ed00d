"""An appender at work on a real database, and those who wait for its answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from sqlalchemy import Connection, func, insert, select

from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database
from im_infra.sql.at_once import WriteAtOnce
from im_infra.sql.statements import Closing, Statement
from im_proto.repo.v1.stream_pb2 import AppendResult, RepoResponse
from im_repo.conversations.make import NewConversation, conversation_row
from im_repo.log.append_batch import BatchTerms
from im_repo.log.appender import Appender
from im_repo.log.batch_store import BatchStore
from im_repo.log.draft import Draft
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.settings import AppendSettings
from im_repo.outbox.pending import Pending
from im_repo.schema import CONVERSATION, MESSAGE
from tests.support.databases import AnyDatabase

LOG: Final = 70
"""The first of the three conversations."""


class Asker:
    """Waits for one answer, and insists that there is only one."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[AppendResult] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        self._answer.set_result(RepoResponse.FromString(body).append)

    def fail(self, error: ImError) -> None:
        self._answer.set_exception(error)

    async def result(self) -> AppendResult:
        async with asyncio.timeout(20):
            return await self._answer

    async def reason(self) -> str:
        with pytest.raises(ImError) as caught:
            await self.result()
        return caught.value.reason.name


class Watched:
    """The database, with a look at each batch: how many there were, and a chance to spoil the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches = 0
        self.at_once = 0
        """Those of them that were written in one round trip, or tried to be."""
        self.spoil: Callable[[], None] | None = None
        """Called once, between the last statement of a batch's unit and what it closes with; or before its packet."""

    @property
    def closing_lanes(self) -> int:
        return self._database.closing_lanes

    @property
    def write_at_once(self) -> WriteAtOnce | None:
        return self._at_once if self._database.write_at_once is not None else None

    async def _at_once(self, statements: Sequence[Statement]) -> Sequence[int]:
        self.batches += 1
        self.at_once += 1
        self._spoil()
        assert self._database.write_at_once is not None
        return await self._database.write_at_once(statements)

    async def write_closing(self, unit: Callable[[Connection], Closing[Any]]) -> Any:
        self.batches += 1

        def watched(connection: Connection) -> Closing[Any]:
            closing = unit(connection)
            self._spoil()
            return closing

        return await self._database.write_closing(watched)

    def _spoil(self) -> None:
        spoil, self.spoil = self.spoil, None
        if spoil is not None:
            spoil()


class Bench:
    """An appender on a database with three empty conversations."""

    def __init__(
        self, database: Database, watched: Watched, appender: Appender, pending: Pending, metrics: Metrics
    ) -> None:
        self.database = database
        self.watched = watched
        self.appender = appender
        self.pending = pending
        self._metrics = metrics

    def stale(self) -> float:
        """How many batches were refused in one round trip, and looked first then."""
        return self._metrics.counter("im_repo_append_stale_total")._value.get()

    def send(self, *drafts: Draft) -> list[Asker]:
        askers = []
        for draft in drafts:
            asker = Asker()
            self.appender.submit(draft, asker)
            askers.append(asker)
        return askers

    async def meet(self, draft: Callable[..., Draft]) -> None:
        """Append to each of the conversations: they are known from here on."""
        for asker in self.send(*(draft(LOG + number, 1) for number in range(3))):
            await asker.result()
        assert (self.watched.batches, self.watched.at_once) == (1, 0)

    async def count(self, table: object = MESSAGE) -> int:
        return await self.database.read(
            lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
        )


@asynccontextmanager
async def open_bench(
    any_database: AnyDatabase, ids: Any, *, engine: Any = None, seed: bool = True, **settings: int
) -> AsyncIterator[Bench]:
    """Open a bench; the queue is only worked on inside the context.

    Args:
        any_database: where the log is.
        ids: makes message ids.
        engine: changes to the database's settings.
        seed: make the conversations; else another bench did.
        settings: of the appender.
    """
    async with any_database.open(**(engine or {})) as database:
        if seed:
            await database.write(_seed)
        metrics = Metrics()
        watched = Watched(database)
        pending = Pending(max_rows=100, sweep_after_ms=3_000, max_backoff_ms=5_000)
        store = BatchStore(
            watched,
            ids=ids,
            pending=pending,
            terms=BatchTerms("boot", 3_000, FanoutBounds()),
            metrics=metrics,
            monotonic=lambda: 0.0,
        )
        appender = Appender(
            store,
            pending=pending,
            settings=AppendSettings(**settings),
            metrics=metrics,
            monotonic=lambda: 0.0,
        )
        running = asyncio.create_task(appender.run())
        yield Bench(database, watched, appender, pending, metrics)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def _seed(connection: Connection) -> None:
    rows = [conversation_row(NewConversation(conversation_id=LOG + n, kind=2), 1) for n in range(3)]
    connection.execute(insert(CONVERSATION), rows)
