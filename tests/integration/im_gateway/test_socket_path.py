"""Hello, a send, a push: what every connection lives on."""

import asyncio
import json
from typing import Any

from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Message, MessagePush, SendRequest
from im_proto.v1.session_pb2 import PingRequest


async def test_hello_a_send_and_a_push_reach_the_other_side(open_site: Any) -> None:
    async with open_site() as site, site.client(5) as client:
        answer = await client.ask(ClientFrame(request_id=9, send=SendRequest(conversation_id=3, client_message_id="m")))
        assert (answer.send.conversation_id, answer.send.seq, answer.send.client_message_id) == (3, 1, "m")
        caller, frame = site.logic.commands[0]
        assert (caller.user_id, caller.session_id, caller.gateway_id) == (5, 50, "gw-1")
        assert frame.request_id == 9
        push = ServerFrame(message_push=MessagePush(message=Message(conversation_id=3, seq=2), epoch=1))
        site.logic.deliver(client.connection_id, frame=push)
        assert await client.next() == push


async def test_hello_tells_limits_version_and_the_connections_name(open_site: Any) -> None:
    async with open_site() as site, site.socket() as socket:
        from_hello = await site.wrap(socket).hello(5)
        hello = from_hello.hello
        assert hello.server_version == "1.2.3"
        assert hello.limits.max_frame_bytes == 65_536
        assert hello.connection_id == "gw-1.1"
        assert hello.user.user_id == 5


async def test_a_ping_is_answered_without_logic(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        answer = await client.ask(ClientFrame(request_id=4, ping=PingRequest()))
        assert answer.ping.server_time > 0
        assert site.logic.commands == []


async def test_the_json_subprotocol_says_the_same_in_snake_case(open_site: Any) -> None:
    async with open_site() as site, site.socket("im.v1.json") as socket:
        from_token = site.token(5)
        await socket.send(json.dumps({"request_id": 1, "hello": {"access_token": from_token, "instance_id": "t"}}))
        hello = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert hello["hello"]["user"]["user_id"] == "5"
        frames = [{"request_id": "2", "ping": {}}, {"request_id": "3", "send": {"conversation_id": "8"}}]
        await socket.send(json.dumps(frames))
        answers: list[Any] = []
        while len(answers) < 2:
            received = json.loads(await asyncio.wait_for(socket.recv(), 5))
            answers += received if isinstance(received, list) else [received]
        by_id = {answer["request_id"]: answer for answer in answers}
        assert by_id["2"]["ping"]["server_time"].isdigit()
        assert by_id["3"]["send"]["conversation_id"] == "8"


async def test_answers_of_request_0_are_not_sent_unless_it_fails(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        await client.send(ClientFrame(send=SendRequest(conversation_id=3)))
        answer = await client.ask(ClientFrame(request_id=2, ping=PingRequest()))
        assert answer.HasField("ping")
        assert client.inbox == []
        await client.send(ClientFrame())
        assert (await client.next()).error.name == "OPERATION_UNKNOWN"


async def test_the_end_of_a_connection_is_told_to_logic(open_site: Any) -> None:
    async with open_site() as site:
        async with site.client() as client:
            connection_id = client.connection_id
        await site.until(lambda: site.logic.closed == [connection_id])
        assert site.gateway.connections == 0


async def test_pushes_before_the_hello_answer_come_after_it(open_site: Any) -> None:
    async with open_site() as site, site.socket() as socket:
        site.logic.hold_hello = asyncio.Event()
        client = site.wrap(socket)
        hello = asyncio.ensure_future(client.hello(5))
        await site.until(lambda: site.logic.opened)
        connection_id = site.logic.opened[0].connection_id
        push = ServerFrame(message_push=MessagePush(message=Message(conversation_id=3, seq=2)))
        site.logic.deliver(connection_id, frame=push)
        await site.until(lambda: site.logic.taken)
        assert not hello.done()
        site.logic.hold_hello.set()
        assert (await hello).HasField("hello")
        assert await client.next() == push
