"""The gateway's composition root: the way to logic and what comes from there, then sessions, then the public port."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import SystemRandom
from typing import Final

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
from im_gateway.drain import DrainParts
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
from im_infra.observability.tracing import Tracer
from im_infra.routing import InterestTable, Publications, RouteTable
from im_infra.rpc.channels import Channels
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_infra.rpc.service_pool import ServicePool
from im_proto.logic.v1.stream_pb2_grpc import LogicServiceStub

_LOGIC: Final = "logic"
_CODECS: Final = (ProtobufCodec(), JsonCodec())
_RANDOM: Final = SystemRandom()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a gateway is given by the process around it: see `open_gateway`."""

    discovery: Discovery
    channels: Channels
    cache: Cache
    me: Peer
    metrics: Metrics
    clock: Clock
    keys: Mapping[str, SecretStr]
    server_version: str
    not_ready: Callable[[], None]
    tracer: Tracer
    tracing: TracingSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What a gateway runs."""

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


def wire(settings: GatewaySettings, around: Surroundings) -> Parts:
    """Put a gateway together; nothing listens or runs yet."""
    exempt = Networks(settings.limits.exempt_networks)
    delivery = _delivery(settings, around, exempt)
    ways_in = _ways_in(settings, around)
    admission = Admission(settings.limits, exempt=exempt, monotonic=around.clock.monotonic, uniform=_RANDOM.uniform)
    hub = delivery.hub
    hub.sessions = _sessions(around, delivery, ways_in, admission)
    port = _port(settings, around, delivery, ways_in, admission, exempt)
    return Parts(
        hub=hub,
        port=port,
        pool=delivery.pool,
        heads=delivery.heads,
        checks=delivery.checks,
        sweep=delivery.sweep,
        revocations=Revocations(hub, delivery.accounts),
        users=ways_in.users,
        ways_in=ways_in.addresses,
        servicer=delivery.servicer,
        drain=DrainParts(
            hub=hub,
            port=port,
            interests=delivery.interests,
            sweep=delivery.sweep,
            discovery=around.discovery,
            me=around.me,
            settings=settings.drain,
            not_ready=around.not_ready,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Delivery:
    """The connections, the way to logic, and what brings frames from there to here."""

    hub: Hub
    pool: StreamPool
    accounts: ServicePool
    link: LogicLink
    interests: Interests
    heads: Heads
    checks: Checks
    sweep: Sweep
    closing: Closing
    servicer: GatewayServicer


def _delivery(settings: GatewaySettings, around: Surroundings, exempt: Networks) -> _Delivery:
    cache, clock, me, metrics = around.cache, around.clock, around.me, around.metrics
    hub = Hub(settings, codecs=_CODECS, clock=clock, metrics=metrics, exempt=exempt, flusher=Flusher())
    interests = Interests(hub, InterestTable(cache, clock), me=me, settings=settings.delivery)
    heads = Heads(interests)

    def on_unknown(connection_id: int) -> None:
        closing.repair(connection_id)  # it is made below, over the stream that brings the pushes

    pushes = Pushes(hub, interests, on_unknown=on_unknown, tracer=around.tracer)
    checks = Checks(hub, spread_s=settings.delivery.check_spread_s, per_s=settings.delivery.checks_per_s)
    pool = StreamPool(
        _LOGIC,
        discovery=around.discovery,
        channels=around.channels,
        connect=lambda channel: LogicServiceStub(channel).Connect(None),
        me=me,
        on_push=pushes.on_push,
        on_lost=lambda _peer, broken: checks.all_connections() if broken else None,
        clock=clock,
        metrics=(metrics, "gateway_logic"),
    )
    link = LogicLink(pool, timeout_s=settings.connections.request_timeout_s)
    routes = RouteTable(cache, clock)
    publications = Publications(cache, clock)
    sweep = Sweep(
        SweepParts(
            hub=hub, routes=routes, interests=interests, publications=publications, cache=cache, checks=checks, me=me
        ),
        interval_s=settings.delivery.sweep_interval_s,
    )
    closing = Closing(link, routes, me=me)
    return _Delivery(
        hub=hub,
        pool=pool,
        accounts=ServicePool(_LOGIC, discovery=around.discovery, channels=around.channels),
        link=link,
        interests=interests,
        heads=heads,
        checks=checks,
        sweep=sweep,
        closing=closing,
        servicer=GatewayServicer(
            _fan_out(settings, around, hub, interests, heads, link), me=me, tracer=around.tracer, metrics=metrics
        ),
    )


def _fan_out(
    settings: GatewaySettings, around: Surroundings, hub: Hub, interests: Interests, heads: Heads, link: LogicLink
) -> FanOutDesk:
    sender = EntrySender(
        hub,
        merge_from_per_s=settings.delivery.merge_from_per_s,
        later=asyncio.get_running_loop().call_later,
    )
    fan_out = FanOutDesk(
        hub,
        interests,
        heads,
        sender,
        LogicLookup(link, interests),
        max_waiting=settings.delivery.max_waiting_entries,
    )
    around.metrics.gauge("im_gateway_waiting_entries").set_function(lambda: fan_out.waiting_entries)
    return fan_out


@dataclass(frozen=True, slots=True)
class _WaysIn:
    """Who is let in, and how much they may do: the same over the socket and over HTTP."""

    verifier: AccessTokenVerifier
    users: UserLimitTable
    addresses: AddressBuckets
    traces: Traces | None


def _ways_in(settings: GatewaySettings, around: Surroundings) -> _WaysIn:
    return _WaysIn(
        AccessTokenVerifier(around.keys, leeway_s=settings.auth.leeway_s, now_ms=around.clock.now_ms),
        UserLimitTable(settings.limits),
        AddressBuckets(settings.limits.logins_per_ip_per_s, settings.limits.login_burst_per_ip),
        _traces(around),
    )


def _traces(around: Surroundings) -> Traces | None:
    """What begins traces; None where nobody records them."""
    if not around.tracer.is_on:
        return None
    sampler = Sampler(
        around.tracing.sample_ratio,
        max_per_s=around.tracing.max_traces_per_s,
        monotonic=around.clock.monotonic,
        chance=_RANDOM.random,
    )
    return Traces(around.tracer, sampler, follow_clients=around.tracing.follow_clients)


def _sessions(around: Surroundings, delivery: _Delivery, ways_in: _WaysIn, admission: Admission) -> SessionDesk:
    hub, link, interests, closing = delivery.hub, delivery.link, delivery.interests, delivery.closing
    opening = Opening(
        OpeningParts(
            hub=hub,
            link=link,
            verifier=ways_in.verifier,
            limits=ways_in.users,
            interests=interests,
            store_later=delivery.sweep.store_later,
            close=closing.close,
            hello_was_good=admission.hello_was_good,
            me=around.me,
            server_version=around.server_version,
        )
    )
    commands = Commands(
        hub,
        link=link,
        verifier=ways_in.verifier,
        on_view=interests.on_view,
        pulls=RingPulls(interests, hub.tally),
        traces=ways_in.traces,
    )
    return SessionDesk(opening, commands, leave=interests.leave, close=closing.close)


def _port(
    settings: GatewaySettings,
    around: Surroundings,
    delivery: _Delivery,
    ways_in: _WaysIn,
    admission: Admission,
    exempt: Networks,
) -> PublicPort:
    monotonic = around.clock.monotonic
    callers = Callers(
        ways_in.verifier,
        SessionCheck(delivery.accounts, cache_s=settings.auth.session_cache_s, monotonic=monotonic),
        users=ways_in.users,
        ways_in=ways_in.addresses,
        trusted=Networks(settings.public.trusted_proxies),
        exempt=exempt,
        gateway_id=around.me.node_id,
        monotonic=monotonic,
    )
    application = create_application(
        HttpDispatch(callers, delivery.link, delivery.accounts, traces=ways_in.traces),
        version=around.server_version,
        allowed_origins=settings.public.allowed_origins,
        web_dir=settings.public.web_dir,
    )
    refused = around.metrics.counter("im_gateway_refused_handshakes_total")
    return PublicPort(
        settings.public,
        settings.connections,
        subprotocols=tuple(codec.subprotocol for codec in _CODECS),
        handler=delivery.hub.new_connection,
        admission=admission,
        application=application,
        on_refused=lambda status: refused.labels(str(status.value)).inc(),
    )
