"""What a connection is told before its session is open."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from im_gateway.settings import ConnectionSettings
from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrames
from im_proto.v1.session_pb2 import HelloRequest, PingRequest


async def closed_with(socket: Any) -> tuple[list[Any], int]:
    """Everything until the close, and its code."""
    frames: list[Any] = []
    try:
        while True:
            data = await asyncio.wait_for(socket.recv(), 5)
            frames.extend(ServerFrames.FromString(data).frames if isinstance(data, bytes) else [json.loads(data)])
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (ClientFrames(frames=[ClientFrame(request_id=1, ping=PingRequest())]).SerializeToString(), "HELLO_REQUIRED"),
        (ClientFrames().SerializeToString(), "FRAME_INVALID"),
        (b"\xff\xff\xff", "FRAME_INVALID"),
        ("text on the binary subprotocol", "FRAME_INVALID"),
    ],
)
async def test_anything_but_a_hello_first_is_a_protocol_error(open_site: Any, first: Any, name: str) -> None:
    async with open_site() as site, site.socket() as socket:
        await socket.send(first)
        frames, code = await closed_with(socket)
        assert [frame.error.name for frame in frames] == [name]
        assert code == CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("hello", "name", "code"),
    [
        ({"access_token": "x.y.z"}, "UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED),
        ({}, "UNAUTHENTICATED", CloseCode.AUTHENTICATION_FAILED),
        ({"ticket": "t", "instance_id": "i" * 65}, "FIELD_INVALID", CloseCode.PROTOCOL_ERROR),
    ],
)
async def test_a_hello_that_cannot_be_answered_says_why(
    open_site: Any, hello: dict[str, str], name: str, code: int
) -> None:
    async with open_site() as site, site.socket() as socket:
        frame = ClientFrame(request_id=1, hello=HelloRequest(**{"instance_id": "t", **hello}))
        await socket.send(ClientFrames(frames=[frame]).SerializeToString())
        frames, closed = await closed_with(socket)
        assert [(answer.request_id, answer.error.name) for answer in frames] == [(1, name)]
        assert closed == code


async def test_an_expired_token_asks_for_a_new_one(open_site: Any) -> None:
    async with open_site() as site, site.socket() as socket:
        hello = HelloRequest(access_token=site.token(5, expires_in_s=-100), instance_id="t")
        await socket.send(ClientFrames(frames=[ClientFrame(request_id=1, hello=hello)]).SerializeToString())
        frames, code = await closed_with(socket)
        assert frames[0].error.name == "TOKEN_EXPIRED"
        assert code == CloseCode.TOKEN_STALE


async def test_a_token_of_another_device_is_refused(open_site: Any) -> None:
    async with open_site() as site, site.socket() as socket:
        hello = HelloRequest(access_token=site.token(5), device_id="stolen", instance_id="t")
        await socket.send(ClientFrames(frames=[ClientFrame(request_id=1, hello=hello)]).SerializeToString())
        frames, code = await closed_with(socket)
        assert frames[0].error.name == "UNAUTHENTICATED"
        assert code == CloseCode.AUTHENTICATION_FAILED


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (error_table.KICKED, CloseCode.KICKED),
        (error_table.SESSION_REVOKED, CloseCode.SESSION_REVOKED),
        (error_table.UNAVAILABLE, CloseCode.BACKEND_LOST),
        (error_table.RESUME_INVALID, CloseCode.AUTHENTICATION_FAILED),
        (error_table.OVERLOADED, CloseCode.RECONNECT),
    ],
)
async def test_what_logic_refuses_closes_fittingly(open_site: Any, reason: Any, code: int) -> None:
    async with open_site() as site, site.socket() as socket:
        site.logic.hello_error = ImError(reason)
        hello = HelloRequest(access_token=site.token(5), instance_id="t")
        await socket.send(ClientFrames(frames=[ClientFrame(request_id=1, hello=hello)]).SerializeToString())
        frames, closed = await closed_with(socket)
        assert frames[0].error.name == reason.name
        assert closed == code


async def test_silence_before_hello_ends_the_connection(open_site: Any) -> None:
    settings = ConnectionSettings(hello_timeout_s=0.2)
    async with open_site(connections=settings) as site, site.socket() as socket:
        _, code = await closed_with(socket)
        assert code == CloseCode.HELLO_TIMEOUT


async def test_more_than_4_kib_before_hello_ends_the_connection(open_site: Any) -> None:
    async with open_site() as site, site.socket() as socket:
        await socket.send(b"\x00" * 5000)
        frames, code = await closed_with(socket)
        assert frames[0].error.name == "FRAME_TOO_LARGE"
        assert code == CloseCode.TOO_LARGE


async def test_after_a_good_hello_a_whole_frame_may_come(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        frame = ClientFrame(request_id=2)
        frame.send.content.custom.data = b"x" * 60_000
        answer = await client.ask(frame)
        assert answer.send.seq == 1


async def test_a_message_over_the_limit_is_told_and_closed(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        await client.socket.send(b"\x00" * 70_000)
        frames, code = await closed_with(client.socket)
        assert frames[0].error.name == "FRAME_TOO_LARGE"
        assert code == CloseCode.TOO_LARGE


async def test_a_fragmented_message_over_the_limit_is_told_and_closed(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        await client.socket.send(b"\x00" * 20_000 for _ in range(4))
        frames, code = await closed_with(client.socket)
        assert frames[0].error.name == "FRAME_TOO_LARGE"
        assert code == CloseCode.TOO_LARGE


async def test_malformed_frames_of_an_open_session_keep_it_open(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        for data in (b"\xff\xff", b""):
            await client.socket.send(data)
            assert (await client.next()).error.name == "FRAME_INVALID"
        assert (await client.ask(ClientFrame(request_id=3, ping=PingRequest()))).HasField("ping")


async def test_a_second_hello_is_refused(open_site: Any) -> None:
    async with open_site() as site, site.client() as client:
        answer = await client.ask(ClientFrame(request_id=2, hello=HelloRequest()))
        assert answer.error.name == "HELLO_REQUIRED"


async def test_a_client_that_goes_during_hello_leaves_no_session(open_site: Any) -> None:
    async with open_site() as site:
        site.logic.hold_hello = asyncio.Event()
        async with site.socket() as socket:
            hello = HelloRequest(access_token=site.token(5), instance_id="t")
            await socket.send(ClientFrames(frames=[ClientFrame(request_id=1, hello=hello)]).SerializeToString())
            await site.until(lambda: site.logic.opened)
        await site.until(lambda: not site.gateway.connections)
        await site.until(lambda: site.logic.abandoned == [1])
        site.logic.hold_hello.set()
        await site.until(lambda: site.logic.closed == [1])


async def test_a_client_that_goes_before_or_after_its_hello_abandons_nothing(open_site: Any) -> None:
    async with open_site() as site:
        async with site.socket():
            await site.until(lambda: site.gateway.connections)
        async with site.client():
            pass
        await site.until(lambda: site.logic.closed == [2])
        assert site.logic.abandoned == []


@pytest.mark.parametrize("credential", [{"ticket": "t"}, {"resume_token": "r"}])
async def test_tickets_and_resume_tokens_are_logics_to_redeem(open_site: Any, credential: dict[str, str]) -> None:
    async with open_site() as site, site.client(**credential) as client:
        opened = site.logic.opened[0]
        assert not opened.HasField("claims")
        assert opened.hello.WhichOneof("credential") == next(iter(credential))
        answer = await client.ask(ClientFrame(request_id=2, ping=PingRequest()))
        assert answer.HasField("ping")


@pytest.mark.parametrize("credential", [{"ticket": "t"}, {"resume_token": "r"}, {}])
async def test_an_instance_that_hello_does_not_name_is_logics_to_know(
    open_site: Any, credential: dict[str, str]
) -> None:
    async with open_site() as site, site.client(instance_id="", **credential):
        assert site.logic.opened[0].hello.instance_id == ""
