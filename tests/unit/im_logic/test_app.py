"""Logic wired to a real repo, asked by a gateway's end of the stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from secrets import token_bytes
from typing import Any

import pytest
from pydantic import SecretStr

from im_infra import error_table
from im_infra.bus.embedded import EmbeddedBus
from im_infra.cache.memory import MemoryCache
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.static import StaticDiscovery
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
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
from im_infra.token_keys import TokenKeys
from im_logic.app import Logic, open_logic
from im_logic.settings import LogicSettings, Secrets
from im_proto.gateway.v1.gateway_pb2 import GatewayPush
from im_proto.logic.v1 import account_pb2, stream_pb2
from im_proto.logic.v1.account_pb2_grpc import AccountServiceStub
from im_proto.logic.v1.stream_pb2_grpc import LogicServiceStub
from im_proto.v1 import account_pb2 as client_pb
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from im_proto.v1.session_pb2 import HelloRequest
from im_proto.v1.sync_pb2 import SyncRequest
from im_repo.app import open_repo
from im_repo.settings import RepoSettings

ME = Peer("gateway-1", "boot-g")
SETTINGS = LogicSettings.model_validate({"accounts": {"passwords": {"time_cost": 1, "memory_kib": 8}}})
SECRETS = Secrets(keys=TokenKeys({"k1": SecretStr("k" * 32)}, active="k1"), refresh_key=SecretStr("r" * 32))


class Gateway:
    """What a gateway sees of logic."""

    def __init__(self, logic: Logic, streams: StreamPool, accounts: ServicePool, routes: RouteTable) -> None:
        self.logic = logic
        self.streams = streams
        self.accounts = accounts
        self.routes = routes
        self.pushes: asyncio.Queue[GatewayPush] = asyncio.Queue()

    async def ask(self, **request: Any) -> bytes:
        body = stream_pb2.LogicRequest(**request).SerializeToString()
        return await self.streams.pick(1).call(body, timeout_s=5)

    async def call(self, method: str, request: object) -> Any:
        return await call_unary(getattr(self.accounts.stub(AccountServiceStub), method), request, timeout_s=5)

    async def register(self, handle: str) -> client_pb.TokenGrant:
        installation = client_pb.Installation(device_id=f"device-of-{handle}", device_class=client_pb.DEVICE_CLASS_WEB)
        asked = client_pb.RegisterRequest(handle=handle, password="correct horse", installation=installation)
        response = await self.call("Register", account_pb2.RegisterRequest(request=asked))
        grant: client_pb.TokenGrant = response.grant
        return grant

    async def open(self, grant: client_pb.TokenGrant, connection_id: int) -> stream_pb2.OpenedConnection:
        claims = stream_pb2.Claims(
            user_id=grant.user.user_id,
            session_id=grant.session_id,
            generation=1,
            user_kind=grant.user.kind,
            device_id=f"device-of-{grant.user.handle}",
            device_class=client_pb.DEVICE_CLASS_WEB,
            expire_time=grant.access_expire_time,
        )
        hello = HelloRequest(access_token=grant.access_token, sync=SyncRequest())
        opening = stream_pb2.OpenConnection(connection_id=connection_id, boot_id=ME.boot_id, hello=hello, claims=claims)
        return stream_pb2.OpenedConnection.FromString(await self.ask(open_connection=opening))

    async def command(self, caller: stream_pb2.Caller, **operation: Any) -> ServerFrame:
        frame = ClientFrame(request_id=1, **operation).SerializeToString()
        return ServerFrame.FromString(await self.ask(caller=caller, frame=frame))

    async def pushed(self) -> GatewayPush:
        async with asyncio.timeout(5):
            return await self.pushes.get()


@pytest.fixture
async def gateway(database: SqliteDatabase, lease: Any) -> AsyncIterator[Gateway]:
    clock, metrics, cache = SystemClock(), Metrics(), MemoryCache()
    servers = {"repo": InProcessServer(), "logic": InProcessServer()}
    boots = {"repo": "boot-r", "logic": "boot-l"}
    nodes = [Node(name, f"{name}-1", boots[name], f"in-process:{name}") for name in servers]
    discovery = StaticDiscovery(nodes, database, clock)
    channels = Channels(servers)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(channels.close)
        bus = EmbeddedBus(database, clock, metrics=metrics)
        stack.push_async_callback(bus.close)
        repo = await stack.enter_async_context(
            open_repo(
                RepoSettings(),
                database=database,
                ids=Snowflake(lease, clock),
                me=Peer("repo-1", "boot-r"),
                metrics=metrics,
                clock=clock,
                is_logic=lambda peer: peer.node_id == "logic-1",
            )
        )
        logic = await stack.enter_async_context(
            open_logic(
                SETTINGS,
                discovery=discovery,
                channels=channels,
                cache=cache,
                bus=bus,
                me=Peer("logic-1", "boot-l"),
                metrics=metrics,
                clock=clock,
                secrets=SECRETS,
            )
        )
        repo.register(servers["repo"])
        logic.register(servers["logic"])
        streams = StreamPool(
            "logic",
            discovery=discovery,
            channels=channels,
            connect=lambda channel: LogicServiceStub(channel).Connect(),  # type: ignore[call-arg]
            me=ME,
            on_push=lambda _, body: seen.pushes.put_nowait(GatewayPush.FromString(body)),
        )
        accounts = ServicePool("logic", discovery=discovery, channels=channels)
        await Publications(cache).publish(gateway_id=ME.node_id, boot_id=ME.boot_id, epoch=await cache.epoch())
        seen = Gateway(logic, streams, accounts, RouteTable(cache, clock))
        tasks = [asyncio.create_task(run()) for run in (repo.run, logic.run, streams.run)]
        async with asyncio.timeout(5):
            await streams.wait_ready()
            while True:
                try:
                    await logic.check()
                    break
                except ImError:
                    await asyncio.sleep(0.005)
        yield seen
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_from_registering_to_a_message_on_the_others_screen(gateway: Gateway) -> None:
    alice, bob = await gateway.register("alice"), await gateway.register("bob")
    opened, other = await gateway.open(alice, 1), await gateway.open(bob, 2)
    assert opened.caller.user_id == alice.user.user_id
    assert (opened.caller.connection_id, opened.caller.gateway_id) == (1, ME.node_id)
    assert (opened.hello.user.handle, opened.generation) == ("alice", 1)
    assert opened.hello.resume_token
    assert opened.hello.world_conversation_id in {large.conversation_id for large in opened.large}
    assert opened.hello.sync.since.time > 0

    head = (await gateway.command(opened.caller, open_direct=OpenDirectRequest(user_id=bob.user.user_id))).open_direct
    send = SendRequest(
        conversation_id=head.head.conversation.conversation_id,
        client_message_id=str(uuid7(SystemClock().now_ms(), token_bytes(10))),
        content=Content(text=Text(text="hello")),
        attempt=1,
    )
    assert (await gateway.command(opened.caller, send=send)).send.seq == 1
    while not (push := await gateway.pushed()).deliver.frame or b"hello" not in push.deliver.frame:
        """Account events of the new conversation come first."""
    assert list(push.deliver.connection_ids) == [other.caller.connection_id]


async def test_a_logout_closes_the_live_socket_and_a_closed_one_leaves_no_route(gateway: Gateway) -> None:
    alice = await gateway.register("alice")
    opened = await gateway.open(alice, 1)
    await gateway.call("Logout", account_pb2.LogoutRequest(caller=opened.caller))
    close = (await gateway.pushed()).close_connection
    assert (close.connection_id, close.close_code) == (1, CloseCode.SESSION_REVOKED)
    closing = stream_pb2.CloseConnection(caller=opened.caller, boot_id=ME.boot_id)
    assert await gateway.ask(close_connection=closing) == b""
    assert await gateway.routes.find_many([alice.user.user_id]) == {}


async def test_a_hello_that_is_refused_answers_why(gateway: Gateway) -> None:
    opening = stream_pb2.OpenConnection(connection_id=1, boot_id=ME.boot_id, hello=HelloRequest(ticket="t1.no"))
    with pytest.raises(ImError) as caught:
        await gateway.ask(open_connection=opening)
    assert caught.value.reason is error_table.TICKET_INVALID


async def test_a_request_of_a_newer_gateway_is_unknown(gateway: Gateway) -> None:
    with pytest.raises(ImError) as caught:
        await gateway.ask()
    assert caught.value.reason is error_table.OPERATION_UNKNOWN


async def test_drained_it_takes_nothing_more(gateway: Gateway) -> None:
    async with asyncio.timeout(5):
        await gateway.logic.drain()
    with pytest.raises(ImError) as caught:
        await gateway.ask()
    assert caught.value.reason in {error_table.DRAINING, error_table.UNAVAILABLE}
