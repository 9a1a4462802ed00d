"""A connection of the load tester to servers that do not keep their side."""

import asyncio

import pytest

from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.im import connection as module
from im_proto.v1.frame_pb2 import ServerFrame, ServerFrames
from im_sdk import Client
from tests.harness.light import open_light
from tests.harness.workload import until
from tests.sdk_support.live_server import LiveServer
from tests.sdk_support.model_server import ModelServer


async def test_a_server_that_ends_amid_the_handshake_is_no_connection() -> None:
    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(AdapterError, match="amid the handshake") as raised:
            await open_light(f"ws://127.0.0.1:{port}/ws", access_token="token", device_id="device")
    assert raised.value.reason == "no connection"


def test_the_same_bytes_are_taken_apart_once() -> None:
    """Pushed messages come out of their frames; whatever else is pushed stays as it is."""
    pushed, head = ServerFrame(), ServerFrame()
    message = pushed.message_push.message
    message.conversation_id, message.seq, message.content.text.text = 7, 3, "hello"
    head.head_push.heads.add(conversation_id=8, max_seq=2)
    payload = ServerFrames(frames=(pushed, head)).SerializeToString()
    shared = module.SharedFrames()
    first = shared.parse(payload)
    assert list(first) == [module.Pushed(7, 3, "hello"), head]
    assert shared.parse(bytes(bytearray(payload))) is first
    assert list(shared.parse(b"")) == []


def test_an_answer_belongs_to_its_caller() -> None:
    """Two people's answers may have the same bytes, one after the other: what one does to theirs, the other never sees."""
    answer = ServerFrame(request_id=4)
    answer.sync.since.time = 1_000
    payload = ServerFrames(frames=(answer,)).SerializeToString()
    shared = module.SharedFrames()
    [mine] = shared.parse(payload)
    [theirs] = shared.parse(bytes(bytearray(payload)))
    assert isinstance(mine, ServerFrame)
    mine.sync.since.time += 1
    assert theirs == answer
    assert list(shared.parse(payload)) == [answer]


async def test_a_connection_that_says_nothing_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would close it otherwise, before a load of thousands has begun."""
    monkeypatch.setattr(module, "QUIET_S", 0.05)

    async with LiveServer(ModelServer()) as live, Client(live.url) as client:
        await client.register("ada", "correct horse")
        opened = await open_light(
            f"{live.url.replace('http', 'ws')}/ws",
            access_token=client.tokens.access_token,
            device_id=client.tokens.device_id,
        )
        asked = live.lines[0].connection.requests
        await until(lambda: [frame.WhichOneof("operation") for frame in asked][:3] == ["hello", "ping", "ping"], 5)
        await opened.close()
