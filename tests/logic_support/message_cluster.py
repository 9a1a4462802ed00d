"""The message path over a real repo on SQLite, with a gateway that keeps its pushes: no sockets, no mocks."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import Connection

from im_infra.bus.abstract import FANOUT_TOPIC, Record
from im_infra.cache.memory import MemoryCache
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node, WorkerLease
from im_infra.discovery.static import StaticDiscovery
from im_infra.ids.snowflake import Snowflake
from im_infra.ids.uuid7 import uuid7
from im_infra.observability.metrics import Metrics
from im_infra.routing import Publications, RouteTable
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import ServicePool, StreamPool
from im_infra.rpc.unary import call_unary
from im_infra.sql.sqlite import SqliteDatabase
from im_logic.asker import Asker, Origin
from im_logic.message_path import MessagePath
from im_logic.messaging.settings import MessagingSettings
from im_proto.event.v1.fanout_pb2 import FanOutRange
from im_proto.repo.v1 import account_pb2, conversation_pb2
from im_proto.repo.v1.account_pb2_grpc import AccountStoreServiceStub
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceStub
from im_proto.route.v1.route_pb2 import Route
from im_proto.v1.conversation_pb2 import CreateGroupRequest, OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from im_repo.app import Repo, open_repo
from im_repo.settings import RepoSettings
from tests.logic_support.gateways import KeptResponder, KeptStream

GUEST, REGISTERED = 1, 2
_HOW_LONG_S = 8.0


def new_id(age_ms: int = 0) -> str:
    """A client's id, made so long ago."""
    return str(uuid7(SystemClock().now_ms() - age_ms, os.urandom(10)))


def text(words: str) -> Content:
    """A text."""
    return Content(text=Text(text=words))


class _Lease:
    lease = WorkerLease(worker_id=1, floor_time=0, high_time=2**60, deadline=2.0**60)


class KeptBus:
    """A bus that keeps what is published; it takes it unless `refuses`."""

    def __init__(self) -> None:
        self.records: list[FanOutRange] = []

    async def publish(self, topic: str, *, key: bytes, value: bytes, headers: Any = None) -> None:
        """Keep a record."""
        assert topic == FANOUT_TOPIC
        self.records.append(FanOutRange.FromString(Record(topic, key, value).value))


class MessageCluster:
    """One logic's message path, one repo, one gateway."""

    def __init__(
        self,
        *,
        database: SqliteDatabase,
        path: MessagePath,
        repos: ServicePool,
        routes: RouteTable,
        gateways: dict[tuple[str, str], KeptStream],
        bus: "KeptBus",
        boots: dict[str, str],
        publish: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self.database = database
        self.path = path
        self.repos = repos
        self.routes = routes
        self.gateways = gateways
        self.gateway = gateways["gw", "b1"]
        self.bus = bus
        self.boots = boots
        self.publish = publish
        """Say for a gateway that all its routes are stored."""
        self.world_id = 0
        self._handles = 0

    async def user(self, kind: int = REGISTERED, *, connections: tuple[int, ...] = ()) -> int:
        """A new user, with connections at the gateway."""
        self._handles += 1
        row = account_pb2.UserRow(handle=f"user{self._handles}", display_name="U", kind=kind)
        session = account_pb2.SessionRow(device_id=f"device-{self._handles}", device_class=4)
        request = account_pb2.CreateUserRequest(user=row, session=session)
        made = await call_unary(self.repos.stub(AccountStoreServiceStub).CreateUser, request, timeout_s=5)
        user_id = int(made.user.user_id)
        await self.connect(user_id, *connections)
        return user_id

    async def connect(self, user_id: int, *connections: int, gateway_id: str = "gw", boot_id: str = "b1") -> None:
        """Give a user connections."""
        await self.routes.change(
            user_id,
            lambda routes: [
                *routes,
                *(Route(connection_id=one, gateway_id=gateway_id, boot_id=boot_id) for one in connections),
            ],
        )

    def submit(
        self, user_id: int, *, kind: int = REGISTERED, connection: int = 0, exempt: bool = False, **operation: Any
    ) -> KeptResponder:
        """Hand a frame to the dispatcher."""
        peer = self.gateway.peer
        asker = Asker(user_id, kind, Origin(peer.node_id, peer.boot_id, connection), exempt)
        frame = ClientFrame(request_id=1, **operation).SerializeToString()
        responder = KeptResponder()
        self.path.dispatcher.handle(asker, frame, responder)
        return responder

    async def ask(self, user_id: int, **operation: Any) -> Any:
        """Hand a frame over and wait for the answer's own message; raises the refusal."""
        responder = self.submit(user_id, **operation)
        await self.until(lambda: responder.count)
        if responder.error is not None:
            raise responder.error
        assert responder.frame is not None
        return getattr(responder.frame, str(responder.frame.WhichOneof("event")))

    async def send(self, user_id: int, conversation_id: int, words: str = "hi", **more: Any) -> Any:
        """Send a text; `message` adds fields of SendRequest."""
        fields = {"client_message_id": new_id(), "content": text(words), "attempt": 1, **more.pop("message", {})}
        return await self.ask(user_id, send=SendRequest(conversation_id=conversation_id, **fields), **more)

    async def direct(self, one: int, other: int) -> int:
        """Their private conversation."""
        opened = await self.ask(one, open_direct=OpenDirectRequest(user_id=other))
        return int(opened.head.conversation.conversation_id)

    async def group(self, owner: int, *others: int) -> int:
        """A group."""
        request = CreateGroupRequest(title="T", user_ids=others, operation_id=new_id())
        made = await self.ask(owner, create_group=request)
        return int(made.head.conversation.conversation_id)

    async def make_world(self) -> int:
        """The world room, without slow mode."""
        request = conversation_pb2.EnsureWorldRequest(title="World")
        made = await call_unary(self.repos.stub(ConversationServiceStub).EnsureWorld, request, timeout_s=5)
        self.world_id = int(made.conversation_id)
        return self.world_id

    def pushed(self, event: str, *, connection: int = 0) -> list[Any]:
        """The pushes of a kind so far, in full, of a connection (0: any)."""
        found = []
        for push in self.gateway.pushes:
            for frame, ids in (
                (push.deliver.frame, push.deliver.connection_ids),
                (push.deliver.bare_frame, push.deliver.bare_connection_ids),
            ):
                if frame and (not connection or connection in ids):
                    told = ServerFrame.FromString(frame)
                    if told.WhichOneof("event") == event:
                        found.append(getattr(told, event))
        return found

    async def until(self, condition: Any) -> None:
        """Wait for a condition, with a deadline."""
        async with asyncio.timeout(_HOW_LONG_S):
            while not condition():
                await asyncio.sleep(0.003)

    async def change(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """Change rows behind logic's back, as another logic process would."""

        def unit(connection: Connection) -> None:
            for statement, values in statements:
                connection.exec_driver_sql(statement, values)

        await self.database.write(unit)

    async def outbox_rows(self) -> int:
        """How many outbox rows there are."""
        return await self.database.read(lambda c: int(c.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()))


@asynccontextmanager
async def message_cluster(
    database: SqliteDatabase,
    *,
    repo_settings: RepoSettings | None = None,
    settings: MessagingSettings | None = None,
) -> AsyncIterator[MessageCluster]:
    """Everything wired and running."""
    clock, metrics, cache = SystemClock(), Metrics(), MemoryCache()
    server = InProcessServer()
    discovery = StaticDiscovery([Node("repo", "repo-1", "boot-r", "in-process:repo")], database, clock)
    channels = Channels({"repo": server})
    async with AsyncExitStack() as stack:
        stack.push_async_callback(channels.close)
        repo: Repo = await stack.enter_async_context(
            open_repo(
                repo_settings or RepoSettings(),
                database=database,
                ids=Snowflake(_Lease(), clock),
                me=Peer("repo-1", "boot-r"),
                metrics=metrics,
                clock=clock,
                is_logic=lambda peer: peer.node_id == "logic-1",
            )
        )
        repo.register(server)

        def on_push(peer: Peer, body: bytes) -> None:
            cluster.path.on_repo_push(peer, body)

        streams = StreamPool(
            "repo",
            discovery=discovery,
            channels=channels,
            connect=lambda channel: RepoServiceStub(channel).Connect(),  # type: ignore[call-arg]
            me=Peer("logic-1", "boot-l"),
            on_push=on_push,
        )
        repos = ServicePool("repo", discovery=discovery, channels=channels)
        routes = RouteTable(cache, clock)

        async def world_id() -> int:
            return cluster.world_id

        publications = Publications(cache, clock)

        async def publish(gateway_id: str, boot_id: str) -> None:
            await publications.publish(gateway_id=gateway_id, boot_id=boot_id, epoch=await cache.epoch())

        await publish("gw", "b1")
        gateways = {("gw", "b1"): KeptStream()}
        bus = KeptBus()
        boots: dict[str, str] = {}
        path = MessagePath(
            repo_streams=streams,
            repos=repos,
            gateways=gateways,
            routes=routes,
            boot_of=boots.get,
            publications=publications,
            listed=lambda: set(boots.items()),
            bus=bus,  # type: ignore[arg-type]  # publishing is all that is used
            world_id=world_id,
            settings=settings or MessagingSettings(),
            repo_timeout_s=5,
            metrics=metrics,
            clock=clock,
        )
        cluster = MessageCluster(
            database=database,
            path=path,
            repos=repos,
            routes=routes,
            gateways=gateways,
            bus=bus,
            boots=boots,
            publish=publish,
        )
        tasks = [asyncio.create_task(run()) for run in (repo.run, streams.run, path.run)]
        try:
            async with asyncio.timeout(5):
                await streams.wait_ready()
            yield cluster
        finally:
            for task in reversed(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
