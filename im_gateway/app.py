"""A running gateway."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from pydantic import SecretStr

from im_gateway.drain import drain
from im_gateway.settings import GatewaySettings
from im_gateway.wiring import Parts, Surroundings, wire
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery
from im_infra.observability.metrics import Metrics
from im_infra.observability.settings import TracingSettings
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.channels import Channels
from im_infra.rpc.peer import Peer
from im_proto.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server

_TICK_S: Final = 1.0
_FORGET_EVERY_TICKS: Final = 60


class Gateway:
    """A running gateway. Made by `open_gateway`.

    Args:
        parts: what it consists of.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.health: Mapping[str, Callable[[], Awaitable[None]]] = {"logic": parts.pool.check}
        """Checks for readiness; each raises while it fails."""

    @property
    def port(self) -> int:
        """The bound public port."""
        return self._parts.port.port

    @property
    def connections(self) -> int:
        """Open sockets."""
        return len(self._parts.hub.connections)

    def register(self, server: Any) -> None:  # noqa: ANN401 - grpc.aio's server or the in-process one
        """Serve GatewayService on `server`."""
        add_GatewayServiceServicer_to_server(self._parts.servicer, server)

    async def run(self) -> None:
        """Do what has to be done all the time. Cancelling ends it; call `drain` before."""
        parts = self._parts
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(parts.pool.run(), name="gateway.logic")
            tasks.create_task(self._tick(), name="gateway.tick")
            tasks.create_task(self._push_heads(), name="gateway.heads")
            tasks.create_task(parts.checks.run(), name="gateway.checks")
            tasks.create_task(parts.sweep.run(), name="gateway.sweep")
            tasks.create_task(parts.revocations.run(), name="gateway.revocations")
            if parts.port.tls is not None:
                tasks.create_task(parts.port.tls.run(), name="gateway.tls")

    async def drain(self) -> None:
        """Stop: see `im_gateway.drain`. Cancelling skips the rest."""
        await drain(self._parts.drain)

    async def _tick(self) -> None:
        parts = self._parts
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            parts.hub.tick()
            ticks += 1
            if ticks % _FORGET_EVERY_TICKS == 0:
                now = parts.hub.monotonic()
                parts.users.forget_idle(now)
                parts.ways_in.forget_full(now)
                parts.port.admission.forget_full()

    async def _push_heads(self) -> None:
        parts = self._parts
        interval_s = parts.hub.settings.delivery.head_interval_s
        while True:
            await asyncio.sleep(interval_s)
            parts.heads.tick(parts.hub.monotonic())


@asynccontextmanager
async def open_gateway(
    settings: GatewaySettings,
    *,
    discovery: Discovery,
    channels: Channels,
    cache: Cache,
    me: Peer,
    metrics: Metrics,
    clock: Clock,
    keys: Mapping[str, SecretStr] | None = None,
    server_version: str = "",
    not_ready: Callable[[], None] = lambda: None,
    tracer: Tracer = OFF,
    tracing: TracingSettings | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway that listens; `run` makes it work.

    Args:
        settings: its tree.
        discovery: who is alive.
        channels: the ways to them.
        cache: for routes and interests.
        me: this gateway and boot.
        metrics: counters.
        clock: time.
        keys: of access tokens by kid; None: the settings' own.
        server_version: told to clients.
        not_ready: makes readiness fail, on drain.
        tracer: records spans.
        tracing: which requests are sampled.

    Raises:
        OSError: the public port is taken, or a certificate cannot be read.
    """
    parts = wire(
        settings,
        Surroundings(
            discovery=discovery,
            channels=channels,
            cache=cache,
            me=me,
            metrics=metrics,
            clock=clock,
            keys=settings.auth.keys if keys is None else keys,
            server_version=server_version,
            not_ready=not_ready,
            tracer=tracer,
            tracing=tracing or TracingSettings(),
        ),
    )
    await parts.port.open()
    try:
        yield Gateway(parts)
    finally:
        parts.port.stop_accepting()
        for connection in list(parts.hub.connections.values()):
            connection.abort()
