"""Repo's composition root."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from im_infra.clock import Clock
from im_infra.ids.snowflake import Snowflake
from im_infra.observability.metrics import Metrics
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_server import ServerStream, StreamServer
from im_infra.sql.abstract import Database
from im_proto.repo.v1.account_pb2_grpc import add_AccountStoreServiceServicer_to_server
from im_proto.repo.v1.conversation_pb2_grpc import add_ConversationServiceServicer_to_server
from im_proto.repo.v1.stream_pb2_grpc import add_RepoServiceServicer_to_server
from im_repo.accounts.servicer import AccountStoreServicer
from im_repo.accounts.upkeep import Upkeep
from im_repo.clock import keep_clock
from im_repo.conversations.servicer import ConversationServicer
from im_repo.cursors.operations import CursorOperations
from im_repo.log.append_batch import BatchTerms
from im_repo.log.appender import Appender
from im_repo.log.batch_store import BatchStore
from im_repo.log.fanout_class import FanoutBounds
from im_repo.outbox.large_rests import LargeRests
from im_repo.outbox.pending import Pending
from im_repo.outbox.sweeper import Sweeper
from im_repo.servicer import RepoRequests, RepoServicer
from im_repo.settings import RepoSettings


class Repo:
    """The wired service: `register` it with a server, then `run` it."""

    def __init__(
        self,
        *,
        streams: StreamServer,
        conversations: ConversationServicer,
        accounts: AccountStoreServicer,
        runs: Mapping[str, Callable[[], Coroutine[Any, Any, None]]],
    ) -> None:
        self._streams = streams
        self._conversations = conversations
        self._accounts = accounts
        self._runs = runs

    def register(self, server: Any) -> None:  # noqa: ANN401 - grpc.aio's server or the in-process one
        """Add the three services to a server."""
        add_RepoServiceServicer_to_server(RepoServicer(self._streams), server)
        add_ConversationServiceServicer_to_server(self._conversations, server)
        add_AccountStoreServiceServicer_to_server(self._accounts, server)

    async def run(self) -> None:
        """Append, sweep, keep the clock and the accounts in order, until cancelled. What waits then is answered."""
        async with asyncio.TaskGroup() as tasks:
            for name, run in self._runs.items():
                tasks.create_task(run(), name=f"repo.{name}")

    async def drain(self) -> None:
        """Take no further request and wait until the open ones are answered; set a deadline."""
        await self._streams.drain()


@asynccontextmanager
async def open_repo(
    settings: RepoSettings,
    *,
    database: Database,
    ids: Snowflake,
    me: Peer,
    metrics: Metrics,
    clock: Clock,
    is_logic: Callable[[Peer], bool],
    tracer: Tracer = OFF,
) -> AsyncIterator[Repo]:
    """Wire repo over an open database at the newest revision.

    Args:
        settings: repo's tree.
        database: where everything lies.
        ids: makes ids.
        me: this process.
        metrics: what is counted.
        clock: monotonic time; wall time comes from the database.
        is_logic: whether a peer is a logic process: those are asked to deliver again.
        tracer: records sampled requests and their batches.
    """
    bounds = FanoutBounds(
        large_above=settings.fanout.large_above,
        small_below=settings.fanout.small_below,
        both_ways_ms=round(settings.fanout.both_ways_s * 1000),
    )
    outbox = settings.outbox
    sweep_after_ms = round(outbox.sweep_after_s * 1000)
    pending = Pending(
        max_rows=outbox.max_rows, sweep_after_ms=sweep_after_ms, max_backoff_ms=round(outbox.max_backoff_s * 1000)
    )
    store = BatchStore(
        database,
        ids=ids,
        pending=pending,
        terms=BatchTerms(me.boot_id, sweep_after_ms=sweep_after_ms, bounds=bounds),
        metrics=metrics,
        monotonic=clock.monotonic,
    )
    appender = Appender(
        store,
        pending=pending,
        settings=settings.append,
        metrics=metrics,
        monotonic=clock.monotonic,
        tracer=tracer,
    )
    rests = LargeRests(clock.monotonic)
    requests = RepoRequests(
        database,
        appender=appender,
        pending=pending,
        rests=rests,
        cursors=CursorOperations(database),
        bounds=bounds,
        tracer=tracer,
    )
    streams = StreamServer(requests.handle, me=me, settings=settings.stream, clock=clock, metrics=(metrics, "repo"))

    def logic_streams() -> list[ServerStream]:
        return [stream for stream in streams.streams.values() if is_logic(stream.peer)]

    sweeper = Sweeper(
        database,
        pending=pending,
        rests=rests,
        streams=logic_streams,
        owner=me.boot_id,
        settings=outbox,
        metrics=metrics,
        monotonic=clock.monotonic,
    )
    yield Repo(
        streams=streams,
        conversations=ConversationServicer(database, ids),
        accounts=AccountStoreServicer(database, ids),
        runs={
            "append": appender.run,
            "outbox": sweeper.run,
            "clock": lambda: keep_clock(database, interval_s=settings.clock_interval_s),
            "upkeep": Upkeep(database, guest_idle_days=settings.guest_idle_days).run,
        },
    )
