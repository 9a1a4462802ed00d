"""What only a network does: it goes away, comes back, or falls silent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from im_infra.errors import ImError
from im_infra.rpc.channels import Channels, create_server
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import ChannelSettings, StreamSettings
from im_infra.rpc.stream_client import StreamClient
from im_infra.rpc.stream_server import StreamServer
from im_proto.repo.v1 import stream_pb2_grpc
from tests.support.tcp_proxy import SILENT, TcpProxy

SETTINGS = StreamSettings(reconnect_first_s=0.01, reconnect_max_s=0.1)
QUICK = ChannelSettings(keepalive_time_s=1, keepalive_timeout_s=1)


class Echo(stream_pb2_grpc.RepoServiceServicer):
    def __init__(self) -> None:
        self.closed: list[str] = []
        self.streams = StreamServer(
            lambda _stream, body, responder: responder.answer(body),
            me=Peer("repo-1", "b"),
            on_close=lambda stream: self.closed.append(stream.peer.node_id),
        )

    async def Connect(self, request_iterator: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        await self.streams.serve(request_iterator, context)


async def start(echo: Echo, port: int = 0) -> tuple[grpc.aio.Server, int]:
    server = create_server(QUICK)
    stream_pb2_grpc.add_RepoServiceServicer_to_server(echo, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, port


@asynccontextmanager
async def streaming(port: int, lost: list[bool]) -> AsyncIterator[StreamClient]:
    channels = Channels(settings=QUICK)
    stub = stream_pb2_grpc.RepoServiceStub(channels.get(f"127.0.0.1:{port}"))
    client = StreamClient(stub.Connect, me=Peer("logic-1", "a"), on_lost=lost.append, settings=SETTINGS)
    running = asyncio.create_task(client.run())
    try:
        await until(lambda: client.ready)
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await channels.close()


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_server_that_comes_back_is_found_again() -> None:
    lost: list[bool] = []
    server, port = await start(Echo())
    async with streaming(port, lost) as client:
        await server.stop(0)
        await until(lambda: lost)
        assert lost == [True]
        assert not client.ready
        server, _ = await start(Echo(), port)
        await until(lambda: client.ready)
        assert await client.call(b"again", timeout_s=5) == b"again"
    await server.stop(0)


async def test_a_network_that_falls_silent_is_noticed_on_both_sides() -> None:
    lost: list[bool] = []
    told: list[ImError | None] = []
    echo = Echo()
    server, port = await start(echo)
    proxy = TcpProxy(port)
    async with proxy.open() as proxied, streaming(proxied, lost) as client:
        await client.call(b"hello", timeout_s=5)
        proxy.set_passage(SILENT)
        client.request(b"into the void", lambda _, error: told.append(error), timeout_s=60)
        await until(lambda: lost and told and echo.closed)
    assert told[0] is not None
    assert told[0].reason.name == "UNAVAILABLE"
    await server.stop(0)
