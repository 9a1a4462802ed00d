"""A real gateway on a real port, with a scripted logic behind an in-process channel."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import jwt
import pytest
import uvloop
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from im_gateway.app import Gateway, open_gateway
from im_gateway.settings import GatewaySettings, LimitSettings, PublicPortSettings
from im_infra import error_table
from im_infra.aio import spawn
from im_infra.cache.memory import MemoryCache
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.observability.settings import TracingSettings
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_server import Responder, ServerStream, StreamServer
from im_infra.rpc.unary import unary_errors
from im_proto.gateway.v1.gateway_pb2 import Deliver, GatewayPush
from im_proto.logic.v1 import account_pb2
from im_proto.logic.v1.account_pb2_grpc import AccountServiceServicer, add_AccountServiceServicer_to_server
from im_proto.logic.v1.stream_pb2 import (
    Caller,
    LargeMembership,
    LogicRequest,
    OpenConnection,
    OpenedConnection,
)
from im_proto.logic.v1.stream_pb2_grpc import LogicServiceServicer, add_LogicServiceServicer_to_server
from im_proto.v1 import account_pb2 as client_accounts
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames
from im_proto.v1.message_pb2 import SendResponse
from im_proto.v1.session_pb2 import HelloRequest, HelloResponse

KEY = "a key of at least thirty-two bytes"
DEVICE = "device-1"


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def access_token(user_id: int, *, session_id: int | None = None, expires_in_s: float = 900, generation: int = 1) -> str:
    now = time.time()
    claims = {
        "sub": str(user_id),
        "sid": str(session_id or user_id * 10),
        "gen": generation,
        "knd": 2,
        "dev": DEVICE,
        "cls": 3,
        "iat": int(now),
        "exp": now + expires_in_s,
    }
    return jwt.encode(claims, KEY, algorithm="HS256", headers={"kid": "k1"})


class ScriptedLogic(LogicServiceServicer):
    """Answers as a test tells it to; by default sends get a seq, everything else an empty answer of its kind."""

    def __init__(self) -> None:
        self.server = StreamServer(self._handle, me=Peer("logic-1", "boot"))
        self.commands: list[tuple[Caller, ClientFrame]] = []
        self.traces: list[bytes] = []
        """Of every command, empty where it was not sampled."""
        self.opened: list[OpenConnection] = []
        self.closed: list[int] = []
        self.abandoned: list[int] = []
        self.large: list[LargeMembership] = []
        self.world_id = 0
        self.route_unstored = False
        self.hold_hello: asyncio.Event | None = None
        self.hello_error: ImError | None = None
        self.answers: dict[str, Callable[[Caller, ClientFrame], ServerFrame | ImError | None]] = {}
        self.pending: list[tuple[ClientFrame, Responder]] = []
        self.taken = 0
        """Pushes that took effect at the gateway, as it acknowledged."""
        self._seq = 0

    async def Connect(self, request_iterator: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        await self.server.serve(request_iterator, context)

    @property
    def stream(self) -> ServerStream:
        return next(iter(self.server.streams.values()))

    def push(self, push: GatewayPush) -> None:
        assert self.stream.push(push.SerializeToString(), self._take)

    def deliver(self, *connection_ids: int, frame: ServerFrame, **more: Any) -> None:
        self.push(GatewayPush(deliver=Deliver(connection_ids=connection_ids, frame=frame.SerializeToString(), **more)))

    def _take(self) -> None:
        self.taken += 1

    def _handle(self, stream: ServerStream, body: bytes, responder: Responder) -> None:
        request = LogicRequest.FromString(body)
        kind = request.WhichOneof("session")
        if kind == "open_connection":
            self.opened.append(request.open_connection)
            spawn(self._open(request.open_connection, stream, responder), name="test.open")
        elif kind == "abandon_connection":
            self.abandoned.append(request.abandon_connection.connection_id)
            responder.answer(b"")
        elif kind == "close_connection":
            self.closed.append(request.close_connection.caller.connection_id)
            responder.answer(b"")
        else:
            self.traces.append(request.trace)
            self._command(request.caller, ClientFrame.FromString(request.frame), responder)

    async def _open(self, request: OpenConnection, stream: ServerStream, responder: Responder) -> None:
        if self.hold_hello is not None:
            await self.hold_hello.wait()
        if self.hello_error is not None:
            responder.fail(self.hello_error)
            return
        claims = request.claims
        user_id = claims.user_id or 7
        opened = OpenedConnection(
            caller=Caller(
                user_id=user_id,
                session_id=claims.session_id or user_id * 10,
                user_kind=2,
                connection_id=request.connection_id,
                gateway_id=stream.peer.node_id,
                device_id=DEVICE,
            ),
            hello=HelloResponse(
                user=client_accounts.User(user_id=user_id),
                resume_token="resume",
                world_conversation_id=self.world_id,
            ),
            large=self.large,
            expire_time=claims.expire_time or int((time.time() + 900) * 1000),
            generation=claims.generation or 1,
            device_class=3,
            route_unstored=self.route_unstored,
        )
        responder.answer(opened.SerializeToString())

    def _command(self, caller: Caller, frame: ClientFrame, responder: Responder) -> None:
        self.commands.append((caller, frame))
        operation = str(frame.WhichOneof("operation"))
        answer: ServerFrame | ImError | None
        if operation in self.answers:
            answer = self.answers[operation](caller, frame)
        elif operation == "send":
            self._seq += 1
            answer = ServerFrame(
                send=SendResponse(
                    conversation_id=frame.send.conversation_id,
                    seq=self._seq,
                    client_message_id=frame.send.client_message_id,
                )
            )
        else:
            answer = ServerFrame()
            getattr(answer, operation).SetInParent()
        if answer is None:
            self.pending.append((frame, responder))
        elif isinstance(answer, ImError):
            responder.fail(answer)
        else:
            responder.answer(answer.SerializeToString())


@unary_errors
class ScriptedAccounts(AccountServiceServicer):
    """Answers as a test tells it to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.revocations: list[account_pb2.Revocation] = []
        self.session_error: ImError | None = None

    async def Register(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("Register", request))
        if request.request.handle == "taken":
            raise ImError(error_table.HANDLE_TAKEN)
        user = client_accounts.User(user_id=1, handle=request.request.handle)
        return client_accounts.RegisterResponse(grant=client_accounts.TokenGrant(user=user, access_token="t"))

    async def Login(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("Login", request))
        raise ImError(error_table.CREDENTIALS_WRONG)

    async def ListDevices(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("ListDevices", request))
        return client_accounts.ListDevicesResponse(devices=[client_accounts.Device(session_id=10)])

    async def RevokeDevice(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("RevokeDevice", request))
        return client_accounts.RevokeDeviceResponse()

    async def CheckSession(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("CheckSession", request))
        if self.session_error is not None:
            raise self.session_error
        return account_pb2.CheckSessionResponse(user_kind=2)

    async def ListRevocations(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        self.calls.append(("ListRevocations", request))
        return account_pb2.ListRevocationsResponse(revocations=self.revocations, now_time=int(time.time() * 1000))


class Site:
    """A gateway and what is around it."""

    def __init__(self, gateway: Gateway, logic: ScriptedLogic, accounts: ScriptedAccounts) -> None:
        self.gateway = gateway
        self.logic = logic
        self.accounts = accounts
        self.cache = MemoryCache()
        self.in_process: dict[str, InProcessServer] = {}
        self.metrics = Metrics()
        self.scheme = "ws"
        self.ssl: Any = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.gateway.port}/ws"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    token = staticmethod(access_token)

    async def sweep(self) -> None:
        """What the gateway does every minute."""
        await self.gateway._parts.sweep.sweep()

    def interested(self, conversation_id: int) -> bool:
        return self.gateway._parts.drain.interests.find(conversation_id) is not None

    @staticmethod
    def wrap(socket: ClientConnection) -> "Client":
        return Client(socket)

    @staticmethod
    async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
        """Wait for a condition."""
        await until(condition, seconds)

    @contextlib.asynccontextmanager
    async def socket(self, subprotocol: str = "im.v1.protobuf", **more: Any) -> AsyncIterator[ClientConnection]:
        if self.ssl is not None:
            more["ssl"] = self.ssl
        async with connect(
            self.url, subprotocols=[subprotocol], proxy=None, compression=None, ping_interval=None, **more
        ) as socket:  # type: ignore[list-item]
            yield socket

    @contextlib.asynccontextmanager
    async def client(self, user_id: int = 1, **hello: Any) -> AsyncIterator["Client"]:
        async with self.socket() as socket:
            client = Client(socket)
            await client.hello(user_id, **hello)
            yield client


class Client:
    """Speaks im.v1.protobuf."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.inbox: list[ServerFrame] = []
        self.connection_id = 0
        self.welcome = HelloResponse()

    async def send(self, *frames: ClientFrame) -> None:
        await self.socket.send(ClientFrames(frames=frames).SerializeToString())

    async def next(self) -> ServerFrame:
        while not self.inbox:
            data = await asyncio.wait_for(self.socket.recv(), 5)
            assert isinstance(data, bytes)
            self.inbox.extend(ServerFrames.FromString(data).frames)
        return self.inbox.pop(0)

    async def ask(self, frame: ClientFrame) -> ServerFrame:
        await self.send(frame)
        while True:
            answer = await self.next()
            if answer.request_id == frame.request_id:
                return answer

    async def hello(self, user_id: int = 1, **more: Any) -> ServerFrame:
        if not any(name in more for name in ("access_token", "ticket", "resume_token")):
            more["access_token"] = access_token(user_id)
        more.setdefault("instance_id", "tab-1")
        answer = await self.ask(ClientFrame(request_id=1, hello=HelloRequest(**more)))
        if answer.HasField("hello"):
            self.welcome = answer.hello
            self.connection_id = int(answer.hello.connection_id.rpartition(".")[2])
        return answer


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


SiteOpener = Callable[..., contextlib.AbstractAsyncContextManager[Site]]


@pytest.fixture
def open_site() -> SiteOpener:
    @contextlib.asynccontextmanager
    async def opener(
        *, others: tuple[Node, ...] = (), tracer: Tracer = OFF, sample_ratio: float = 1.0, **sections: Any
    ) -> AsyncIterator[Site]:
        sections.setdefault("public", PublicPortSettings(port=0))
        sections.setdefault("limits", LimitSettings(exempt_networks=("127.0.0.0/8",)))
        settings = GatewaySettings(**sections)
        logic, accounts = ScriptedLogic(), ScriptedAccounts()
        server = InProcessServer()
        add_LogicServiceServicer_to_server(logic, server)
        add_AccountServiceServicer_to_server(accounts, server)
        in_process = {"logic": server}
        channels = Channels(in_process)
        node = Node("logic", "logic-1", "boot", "in-process:logic")
        discovery = StaticDiscovery([node, *others], database=None)  # type: ignore[arg-type]
        cache = MemoryCache()
        metrics = Metrics()
        async with open_gateway(
            settings,
            discovery=discovery,
            channels=channels,
            cache=cache,
            me=Peer("gw-1", "boot-1"),
            metrics=metrics,
            clock=SystemClock(),
            keys={"k1": SecretStr(KEY)},
            server_version="1.2.3",
            tracer=tracer,
            tracing=TracingSettings(sample_ratio=sample_ratio),
        ) as gateway:
            gateway_server = InProcessServer()
            gateway.register(gateway_server)
            in_process["gateway"] = gateway_server
            site = Site(gateway, logic, accounts)
            site.cache, site.in_process, site.metrics = cache, in_process, metrics
            running = spawn(gateway.run(), name="test.gateway")
            try:
                await until(lambda: logic.server.streams)
                await asyncio.wait_for(_ready(gateway), 5)
                yield site
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await channels.close()

    return opener


async def _ready(gateway: Gateway) -> None:
    while True:
        try:
            await gateway.health["logic"]()
        except ImError:
            await asyncio.sleep(0.005)
        else:
            return
