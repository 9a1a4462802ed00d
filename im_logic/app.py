"""The composition root of logic."""

import asyncio
import secrets as random_source
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from im_infra.bus.abstract import Bus
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery
from im_infra.observability.metrics import Metrics
from im_infra.observability.tracing import OFF, Tracer
from im_infra.routing import Publications, RouteTable
from im_infra.routing.publications import living_gateways
from im_infra.rpc.channels import Channels
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import ServicePool, StreamPool
from im_infra.rpc.server_stream import Responder, ServerStream
from im_infra.rpc.stream_server import StreamServer
from im_logic.accounts.passwords import Argon2Passwords
from im_logic.accounts.repo_store import RepoAccountStore
from im_logic.accounts.servicer import AccountServicer
from im_logic.accounts.wire import wire_accounts
from im_logic.message_path import MessagePath
from im_logic.servicer import LogicServicer, RequestHandler
from im_logic.sessions.connections import Connections
from im_logic.sessions.large_conversations import RepoLargeConversations
from im_logic.sessions.resume import ResumeTokens
from im_logic.sessions.sockets import GatewaySockets
from im_logic.sessions.wire import wire_sessions
from im_logic.settings import LogicSettings, Secrets
from im_logic.world import World
from im_proto.logic.v1.account_pb2_grpc import add_AccountServiceServicer_to_server
from im_proto.logic.v1.stream_pb2_grpc import add_LogicServiceServicer_to_server
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceStub


class Logic:
    """A logic process; made by `open_logic`."""

    def __init__(
        self,
        *,
        repo_streams: StreamPool,
        gateways: StreamServer,
        messages: MessagePath,
        accounts: AccountServicer,
        world: World,
    ) -> None:
        self._repo_streams = repo_streams
        self._gateways = gateways
        self._messages = messages
        self._accounts = accounts
        self._world = world

    def register(self, server: grpc.aio.Server) -> None:
        """Add LogicService and AccountService to a gRPC or in-process server."""
        add_LogicServiceServicer_to_server(LogicServicer(self._gateways), server)
        add_AccountServiceServicer_to_server(self._accounts, server)

    async def run(self) -> None:
        """Keep the streams to repo, deliver and flush, until cancelled; what is queued then the outbox brings back."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repo_streams.run(), name="logic.repo_streams")
            tasks.create_task(self._messages.run(), name="logic.messages")
            tasks.create_task(self._world.run(), name="logic.world")

    async def check(self) -> None:
        """For readiness: raise ImError(UNAVAILABLE) unless a repo is ready."""
        await self._repo_streams.check()

    async def drain(self) -> None:
        """Take no further request from gateways and answer the open ones; set a deadline."""
        await self._gateways.drain()


@asynccontextmanager
async def open_logic(
    settings: LogicSettings,
    *,
    discovery: Discovery,
    channels: Channels,
    cache: Cache,
    bus: Bus,
    me: Peer,
    metrics: Metrics,
    clock: Clock,
    secrets: Secrets,
    tracer: Tracer = OFF,
) -> AsyncIterator[Logic]:
    """Wire a logic process; `run` it in the process's task group. Closing waits for the hashes under way."""
    random = random_source.token_bytes
    repos = ServicePool("repo", discovery=discovery, channels=channels)

    # Streams and rooms know each other, so what streams hear is handed on to what is made below.
    def on_repo_push(peer: Peer, body: bytes) -> None:
        messages.on_repo_push(peer, body)

    def on_request(stream: ServerStream, body: bytes, responder: Responder) -> None:
        requests.handle(stream, body, responder)

    repo_streams = StreamPool(
        "repo",
        discovery=discovery,
        channels=channels,
        connect=lambda channel: RepoServiceStub(channel).Connect(),  # type: ignore[call-arg]  # no iterator: frames are written
        me=me,
        on_push=on_repo_push,
        settings=settings.streams,
        clock=clock,
        metrics=(metrics, "logic_repo"),
    )
    gateways = StreamServer(
        on_request, me=me, settings=settings.streams, clock=clock, metrics=(metrics, "gateway_logic")
    )

    def boot_of(gateway_id: str) -> str | None:
        node = discovery.nodes("gateway").get(gateway_id)
        return node.boot_id if node is not None else None

    routes = RouteTable(cache, clock)
    world = World(settings.world, repos, timeout_s=settings.repo_timeout_s)
    messages = MessagePath(
        repo_streams=repo_streams,
        repos=repos,
        gateways=gateways.streams,
        routes=routes,
        boot_of=boot_of,
        publications=Publications(cache, clock),
        listed=lambda: living_gateways(discovery),
        bus=bus,
        world_id=world.ensure,
        settings=settings.messaging,
        repo_timeout_s=settings.repo_timeout_s,
        metrics=metrics,
        clock=clock,
        tracer=tracer,
    )

    store = RepoAccountStore(repos, timeout_s=settings.repo_timeout_s)
    connections = Connections(routes, boot_of)
    sockets = GatewaySockets(connections, gateways.streams, metrics)
    with Argon2Passwords(settings.accounts.passwords, metrics, random=random) as passwords:
        accounts = wire_accounts(
            settings.accounts,
            secrets,
            devices=settings.sessions.devices,
            store=store,
            passwords=passwords,
            sockets=sockets,
            cache=cache,
            clock=clock,
            random=random,
        )
        sessions = wire_sessions(
            settings.sessions,
            access_ttl_s=settings.accounts.access_ttl_s,
            store=store,
            connections=connections,
            sockets=sockets,
            tickets=accounts.tickets,
            resume_tokens=ResumeTokens(cache, ttl_s=settings.sessions.resume_ttl_s, random=random),
            large=RepoLargeConversations(repos, world, timeout_s=settings.repo_timeout_s),
            sync=messages.sync,
            clock=clock,
            metrics=metrics,
            random=random,
        )
        requests = RequestHandler(messages.dispatcher, sessions, tracer=tracer)
        yield Logic(
            repo_streams=repo_streams,
            gateways=gateways,
            messages=messages,
            accounts=AccountServicer(accounts, metrics),
            world=world,
        )
