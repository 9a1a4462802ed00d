"""The composition root of task."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from im_infra.bus.abstract import FANOUT_TOPIC, Bus
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery
from im_infra.observability.metrics import Metrics
from im_infra.observability.tracing import OFF, Tracer
from im_infra.routing import InterestTable, Publications
from im_infra.rpc.channels import Channels
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_proto.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceStub
from im_task.fanout.fan_out import FanOutRecords
from im_task.fanout.gateways import StreamGateways
from im_task.fanout.interested import InterestedGateways
from im_task.fanout.repo_log import RepoLog
from im_task.settings import TaskSettings

GROUP: Final = "im-task"


class Task:
    """A task process; made by `open_task`."""

    def __init__(
        self,
        *,
        bus: Bus,
        handler: FanOutRecords,
        gateways: StreamGateways,
        gateway_streams: StreamPool,
        repos: StreamPool,
        max_records: int,
    ) -> None:
        self._bus = bus
        self._handler = handler
        self._gateways = gateways
        self._gateway_streams = gateway_streams
        self._repos = repos
        self._max_records = max_records

    async def run(self) -> None:
        """Consume until cancelled; records under way get 5 s to take effect."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gateway_streams.run(), name="task.gateway_streams")
            tasks.create_task(self._gateways.run(), name="task.gateways")
            tasks.create_task(self._repos.run(), name="task.repos")
            async with self._bus.consume(
                FANOUT_TOPIC, group=GROUP, handler=self._handler.handle, max_records=self._max_records
            ):
                await asyncio.Event().wait()

    async def check(self) -> None:
        """For readiness: raise ImError (UNAVAILABLE) unless repo can be read."""
        await self._repos.check()


@asynccontextmanager
async def open_task(
    settings: TaskSettings,
    *,
    discovery: Discovery,
    channels: Channels,
    cache: Cache,
    bus: Bus,
    me: Peer,
    metrics: Metrics,
    clock: Clock,
    tracer: Tracer = OFF,
) -> AsyncIterator[Task]:
    """Wire a task process; `run` it in the process's task group."""
    gateway_streams = StreamPool(
        "gateway",
        discovery=discovery,
        channels=channels,
        connect=lambda channel: GatewayServiceStub(channel).Connect(),  # type: ignore[call-arg]  # no iterator: frames are written
        me=me,
        clock=clock,
        metrics=(metrics, "task_gateway"),
    )
    repos = StreamPool(
        "repo",
        discovery=discovery,
        channels=channels,
        connect=lambda channel: RepoServiceStub(channel).Connect(),  # type: ignore[call-arg]  # as above
        me=me,
        clock=clock,
        metrics=(metrics, "task_repo"),
    )
    fan_out = settings.fan_out
    gateways = StreamGateways(
        gateway_streams, discovery=discovery, timeout_s=fan_out.gateway_timeout_s, metrics=metrics
    )
    handler = FanOutRecords(
        reader=RepoLog(repos, timeout_s=fan_out.repo_timeout_s),
        interests=InterestedGateways(InterestTable(cache, clock), Publications(cache, clock), discovery),
        gateways=gateways,
        max_entries=fan_out.max_entries,
        tracer=tracer,
        metrics=metrics,
    )
    yield Task(
        bus=bus,
        handler=handler,
        gateways=gateways,
        gateway_streams=gateway_streams,
        repos=repos,
        max_records=fan_out.max_records,
    )
