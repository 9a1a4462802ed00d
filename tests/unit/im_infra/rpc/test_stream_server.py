"""What only a wire held by the test can show; the rest is the contract's."""

import asyncio
from typing import Any

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_server import StreamServer

GREETING = Frame(peer=Peer("logic-1", "a"))


async def test_a_peer_that_never_greeted_is_neither_opened_nor_closed(wire: Any) -> None:
    events: list[str] = []
    server = StreamServer(
        lambda *_: None,
        me=Peer("repo-1", "b"),
        on_open=lambda _: events.append("open"),
        on_close=lambda _: events.append("close"),
    )
    wire.end()
    async with asyncio.timeout(5):
        await server.serve(None, wire)
    assert events == []
    assert not server.streams


async def test_cancelling_a_call_closes_its_stream(wire: Any, until: Any) -> None:
    closed: list[str] = []
    server = StreamServer(
        lambda *_: None, me=Peer("repo-1", "b"), on_close=lambda stream: closed.append(stream.peer.node_id)
    )
    serving = asyncio.create_task(server.serve(None, wire))
    wire.give(GREETING)
    await until(lambda: server.streams)
    stream = server.streams["logic-1", "a"]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert closed == ["logic-1"]
    assert not server.streams
    assert not stream.push(b"p")


async def test_a_drain_without_streams_is_over_at_once() -> None:
    server = StreamServer(lambda *_: None, me=Peer("repo-1", "b"))
    async with asyncio.timeout(5):
        await server.drain()
