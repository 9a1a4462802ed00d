"""The gateway's composition root."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final

from pydantic import SecretStr

from im_gateway.auth.access_token import AccessTokenVerifier
from im_gateway.codec.json_codec import JsonCodec
from im_gateway.codec.protobuf_codec import ProtobufCodec
from im_gateway.connections.flusher import Flusher
from im_gateway.connections.hub import Hub
from im_gateway.delivery.checks import Checks
from im_gateway.delivery.entry_sender import EntrySender
from im_gateway.delivery.fan_out import FanOutDesk
from im_gateway.delivery.heads import Heads
from im_gateway.delivery.interest import Interests
from im_gateway.delivery.lookup import LogicLookup
from im_gateway.delivery.pushes import Pushes
from im_gateway.delivery.ring_pulls import RingPulls
from im_gateway.delivery.sweep import Sweep, SweepParts
from im_gateway.drain import DrainParts, drain
from im_gateway.http.application import create_application
from im_gateway.http.caller import Callers
from im_gateway.http.dispatch import HttpDispatch
from im_gateway.http.session_check import SessionCheck
from im_gateway.limits.address_buckets import AddressBuckets
from im_gateway.limits.user_limits import UserLimitTable
from im_gateway.servicer import GatewayServicer
from im_gateway.sessions.closing import Closing
from im_gateway.sessions.commands import Commands
from im_gateway.sessions.logic_link import LogicLink
from im_gateway.sessions.opening import Opening, OpeningParts
from im_gateway.sessions.revocations import Revocations
from im_gateway.sessions.session_desk import SessionDesk
from im_gateway.sessions.traces import Traces
from im_gateway.settings import GatewaySettings
from im_gateway.transport.admission import Admission
from im_gateway.transport.networks import Networks
from im_gateway.transport.public_port import PublicPort
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery
from im_infra.observability.metrics import Metrics
from im_infra.observability.sampler import Sampler
from im_infra.observability.settings import TracingSettings
from im_infra.observability.tracing import OFF, Tracer
from im_infra.routing import InterestTable, Publications, RouteTable
from im_infra.rpc.channels import Channels
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_infra.rpc.service_pool import ServicePool
from im_proto.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from im_proto.logic.v1.stream_pb2_grpc import LogicServiceStub

LOGIC: Final = "logic"
_TICK_S: Final = 1.0
_FORGET_EVERY_TICKS: Final = 60


@dataclass(frozen=True, slots=True)
class _Parts:
    hub: Hub
    port: PublicPort
    pool: StreamPool
    heads: Heads
    checks: Checks
    sweep: Sweep
    revocations: Revocations
    users: UserLimitTable
    ways_in: AddressBuckets
    servicer: GatewayServicer
    drain: DrainParts


class Gateway:
    """A running gateway. Made by `open_gateway`.

    Args:
        parts: what it consists of.
    """

    def __init__(self, parts: _Parts) -> None:
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
    parts = _wire(
        settings, discovery=discovery, channels=channels, cache=cache, me=me, metrics=metrics, clock=clock,
        keys=settings.auth.keys if keys is None else keys, server_version=server_version, not_ready=not_ready,
        tracer=tracer, traces=_traces(tracer, tracing or TracingSettings(), clock),
    )  # fmt: skip
    await parts.port.open()
    try:
        yield Gateway(parts)
    finally:
        parts.port.stop_accepting()
        for connection in list(parts.hub.connections.values()):
            connection.abort()


def _traces(tracer: Tracer, settings: TracingSettings, clock: Clock) -> Traces | None:
    """What begins traces; None where nobody records them."""
    if not tracer.is_on:
        return None
    sampler = Sampler(
        settings.sample_ratio,
        max_per_s=settings.max_traces_per_s,
        monotonic=clock.monotonic,
        chance=SystemRandom().random,
    )
    return Traces(tracer, sampler, follow_clients=settings.follow_clients)


def _wire(
    settings: GatewaySettings,
    *,
    discovery: Discovery,
    channels: Channels,
    cache: Cache,
    me: Peer,
    metrics: Metrics,
    clock: Clock,
    keys: Mapping[str, SecretStr],
    server_version: str,
    not_ready: Callable[[], None],
    tracer: Tracer,
    traces: Traces | None,
) -> _Parts:
    random = SystemRandom()
    exempt = Networks(settings.limits.exempt_networks)
    users = UserLimitTable(settings.limits)
    verifier = AccessTokenVerifier(keys, leeway_s=settings.auth.leeway_s, now_ms=clock.now_ms)
    codecs = (ProtobufCodec(), JsonCodec())

    hub = Hub(settings, codecs=codecs, clock=clock, metrics=metrics, exempt=exempt, flusher=Flusher())
    interests = Interests(hub, InterestTable(cache, clock), me=me, settings=settings.delivery)
    heads = Heads(interests)

    def on_unknown(connection_id: int) -> None:
        closing.repair(connection_id)  # it is made below, over the stream that brings the pushes

    pushes = Pushes(hub, interests, on_unknown=on_unknown, tracer=tracer)
    checks = Checks(hub, spread_s=settings.delivery.check_spread_s, per_s=settings.delivery.checks_per_s)
    pool = StreamPool(
        LOGIC,
        discovery=discovery,
        channels=channels,
        connect=lambda channel: LogicServiceStub(channel).Connect(None),
        me=me,
        on_push=pushes.on_push,
        on_lost=lambda _peer, broken: checks.all_connections() if broken else None,
        clock=clock,
        metrics=(metrics, "gateway_logic"),
    )
    accounts = ServicePool(LOGIC, discovery=discovery, channels=channels)
    link = LogicLink(pool, timeout_s=settings.connections.request_timeout_s)
    routes = RouteTable(cache, clock)
    sweep = Sweep(
        SweepParts(
            hub=hub,
            routes=routes,
            interests=interests,
            publications=Publications(cache, clock),
            cache=cache,
            checks=checks,
            me=me,
        ),
        interval_s=settings.delivery.sweep_interval_s,
    )
    closing = Closing(link, routes, me=me)
    fan_out = FanOutDesk(
        hub,
        interests,
        heads,
        EntrySender(
            hub,
            merge_from_per_s=settings.delivery.merge_from_per_s,
            later=asyncio.get_running_loop().call_later,
        ),
        LogicLookup(link, interests),
        max_waiting=settings.delivery.max_waiting_entries,
    )
    metrics.gauge("im_gateway_waiting_entries").set_function(lambda: fan_out.waiting_entries)
    admission = Admission(settings.limits, exempt=exempt, monotonic=clock.monotonic, uniform=random.uniform)
    opening = Opening(
        OpeningParts(
            hub=hub,
            link=link,
            verifier=verifier,
            limits=users,
            interests=interests,
            store_later=sweep.store_later,
            close=closing.close,
            hello_was_good=admission.hello_was_good,
            me=me,
            server_version=server_version,
        )
    )
    commands = Commands(
        hub,
        link=link,
        verifier=verifier,
        on_view=interests.on_view,
        pulls=RingPulls(interests, hub.tally),
        traces=traces,
    )
    hub.sessions = SessionDesk(opening, commands, leave=interests.leave, close=closing.close)

    ways_in = AddressBuckets(settings.limits.logins_per_ip_per_s, settings.limits.login_burst_per_ip)
    callers = Callers(
        verifier,
        SessionCheck(accounts, cache_s=settings.auth.session_cache_s, monotonic=clock.monotonic),
        users=users,
        ways_in=ways_in,
        trusted=Networks(settings.public.trusted_proxies),
        exempt=exempt,
        gateway_id=me.node_id,
        monotonic=clock.monotonic,
    )
    application = create_application(
        HttpDispatch(callers, link, accounts, traces=traces),
        version=server_version,
        allowed_origins=settings.public.allowed_origins,
        web_dir=settings.public.web_dir,
    )
    refused = metrics.counter("im_gateway_refused_handshakes_total")
    port = PublicPort(
        settings.public,
        settings.connections,
        subprotocols=tuple(codec.subprotocol for codec in codecs),
        handler=hub.new_connection,
        admission=admission,
        application=application,
        on_refused=lambda status: refused.labels(str(status.value)).inc(),
    )
    return _Parts(
        hub=hub,
        port=port,
        pool=pool,
        heads=heads,
        checks=checks,
        sweep=sweep,
        revocations=Revocations(hub, accounts),
        users=users,
        ways_in=ways_in,
        servicer=GatewayServicer(fan_out, me=me, tracer=tracer, metrics=metrics),
        drain=DrainParts(
            hub=hub,
            port=port,
            interests=interests,
            sweep=sweep,
            discovery=discovery,
            me=me,
            settings=settings.drain,
            not_ready=not_ready,
        ),
    )
