"""Bytes that are no frames, before and after Hello: an error, or a close code, as the table of errors says."""

import asyncio
import json
import time
from collections.abc import Iterable

import pytest
from websockets.frames import Frame, Opcode

from im_infra.error_table import CloseCode
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames
from im_proto.v1.session_pb2 import HelloRequest, PingRequest
from tests.integration.bad_input.conftest import Site
from tests.support.socket_client import JSON, PROTOBUF, SocketClient, open_session, open_socket

MAX_FRAME = 65_536
MAX_BEFORE_HELLO = 4_096
PROTOCOL_VIOLATION, INVALID_TEXT, TOO_BIG = 1002, 1007, 1009

BAD_JSON: dict[str, tuple[str, int, str]] = {
    "nothing": ("", 0, "FRAME_INVALID"),
    "half an object": ('{"request_id":1,"pi', 0, "FRAME_INVALID"),
    "two objects": ('{"ping":{}}{"ping":{}}', 0, "FRAME_INVALID"),
    "null": ("null", 0, "FRAME_INVALID"),
    "a number": ("7", 0, "FRAME_INVALID"),
    "not a number": ("NaN", 0, "FRAME_INVALID"),
    "an empty list": ("[]", 0, "FRAME_INVALID"),
    "a list of no objects": ("[[]]", 0, "FRAME_INVALID"),
    "nested beyond any stack": ("[" * 60_000, 0, "FRAME_INVALID"),
    "nested, and closed": ("[" * 30_000 + "]" * 30_000, 0, "FRAME_INVALID"),
    "objects nested beyond any stack": ('{"send":' * 8_000, 0, "FRAME_INVALID"),
    "a number beyond any integer": ('{"request_id":' + "9" * 5_000 + "}", 0, "FRAME_INVALID"),
    "an operation that is a list": ('{"request_id":7,"send":[5]}', 7, "FRAME_INVALID"),
    "an id that is no number": ('{"request_id":"7","send":{"conversation_id":"x"}}', 7, "FRAME_INVALID"),
    "an id beyond 64 bits": ('{"request_id":"7","pull":{"conversation_id":"9223372036854775808"}}', 7, "FRAME_INVALID"),
    "an id with a fraction": ('{"request_id":7,"pull":{"conversation_id":1.5}}', 7, "FRAME_INVALID"),
    "an infinite id": ('{"request_id":7,"pull":{"conversation_id":1e999}}', 7, "FRAME_INVALID"),
    "a negative request_id": ('{"request_id":-7,"ping":{}}', 0, "FRAME_INVALID"),
    "half a surrogate pair": ('{"request_id":7,"find_user":{"handle":"\\ud800"}}', 0, "FRAME_INVALID"),
    "half a surrogate pair in a key": ('{"request_id":7,"ping":{"\\ud800":1}}', 0, "FRAME_INVALID"),
    "two operations": ('{"request_id":7,"ping":{},"typing":{}}', 7, "FRAME_INVALID"),
    "base64 of an impossible length": (
        '{"request_id":7,"send":{"content":{"custom":{"kind":"k","data":"AAAAA"}}}}',
        7,
        "FRAME_INVALID",
    ),
    "no operation": ('{"request_id":7}', 7, "OPERATION_UNKNOWN"),
    "an operation of another version": ('{"request_id":7,"teleport":{}}', 7, "OPERATION_UNKNOWN"),
}

GROUPS = b"\x0b" * 20_000
"""Field 1 begins a group, and so on."""
BAD_PROTOBUF: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 0, "FRAME_INVALID"),
    "no tag": (b"\xff" * 12, 0, "FRAME_INVALID"),
    "a frame cut off": (b"\x0a\x7f\x08\x07", 0, "FRAME_INVALID"),
    "a length beyond 2 GiB": (b"\x0a\xff\xff\xff\xff\xff\x0f", 0, "FRAME_INVALID"),
    "groups nested beyond any stack": (GROUPS, 0, "FRAME_INVALID"),
    "groups nested in a frame": (b"\x0a\xa0\x9c\x01" + GROUPS, 0, "FRAME_INVALID"),
    "text": (b"hello", 0, "FRAME_INVALID"),
    "a handle that is not UTF-8": (b"\x0a\x09\x08\x07\xd2\x01\x04\x0a\x02\xff\xfe", 0, "FRAME_INVALID"),
    "no operation": (b"\x0a\x02\x08\x07", 7, "OPERATION_UNKNOWN"),
    "an operation of another version": (b"\x0a\x06\x08\x07\xba\x3e\x01\x00", 7, "OPERATION_UNKNOWN"),
    "an operation of the wrong wire type": (b"\x0a\x04\x08\x07\x18\x05", 7, "OPERATION_UNKNOWN"),
}


async def refused(client: SocketClient, data: bytes | str, request_id: int, expected: str) -> str:
    """What is wrong with what came back; empty: nothing."""
    client.pushed.clear()
    await client.send_raw(data)
    told = await client.until(lambda frame: frame.HasField("error"))
    if (told.request_id, told.error.name) == (request_id, expected):
        return ""
    return f"{data[:80]!r}: {told} instead of {expected} of {request_id}"


def cases(subprotocol: str) -> Iterable[tuple[bytes | str, int, str]]:
    return BAD_JSON.values() if subprotocol == JSON else BAD_PROTOBUF.values()


@pytest.mark.parametrize("subprotocol", [PROTOBUF, JSON])
async def test_what_is_no_frame_is_told_and_the_connection_stays(site: Site, subprotocol: str) -> None:
    async with open_session(site.url, site.me.access_token, subprotocol=subprotocol) as client:
        wrong = [await refused(client, *case) for case in cases(subprotocol)]
        assert not any(wrong), "\n".join(filter(None, wrong))
        assert (await client.ask_for("send", **site.says())).HasField("send")
        site.acked |= client.acked


@pytest.mark.parametrize("subprotocol", [PROTOBUF, JSON])
async def test_what_is_no_hello_ends_a_connection_that_has_said_none(site: Site, subprotocol: str) -> None:
    async def attempt(data: bytes | str, expected: str) -> str:
        async with open_socket(site.url, subprotocol=subprotocol) as client:
            await client.send_raw(data)
            code = await client.closed()
            if (await_error(client), code) == (expected, CloseCode.PROTOCOL_ERROR):
                return ""
            return f"{data[:80]!r}: {client.pushed} and {code} instead of {expected}"

    early = {"OPERATION_UNKNOWN": "HELLO_REQUIRED"}
    attempts = [
        attempt(data, early.get(name, name))
        for data, _, name in cases(subprotocol)
        if len(data) < MAX_BEFORE_HELLO - 64
    ]
    wrong = await asyncio.gather(*attempts)
    assert not any(wrong), "\n".join(filter(None, wrong))


def await_error(client: SocketClient) -> str:
    """The error that came before the close."""
    return next((frame.error.name for frame in client.pushed if frame.HasField("error")), "")


@pytest.mark.parametrize("subprotocol", [PROTOBUF, JSON])
async def test_any_operation_but_hello_ends_a_connection_that_has_said_none(site: Site, subprotocol: str) -> None:
    async def attempt(operation: str) -> None:
        async with open_socket(site.url, subprotocol=subprotocol) as client:
            frame = ClientFrame(request_id=5)
            getattr(frame, operation).SetInParent()
            await client.tell(frame)
            assert await client.closed() == CloseCode.PROTOCOL_ERROR, operation
            assert await_error(client) == "HELLO_REQUIRED", operation

    operations = [field.name for field in ClientFrame.DESCRIPTOR.oneofs_by_name["operation"].fields]
    await asyncio.gather(*(attempt(operation) for operation in operations if operation != "hello"))


async def test_frames_behind_hello_that_do_not_wait_for_its_answer_are_refused(site: Site) -> None:
    async with open_socket(site.url) as client:
        hello = ClientFrame(request_id=100, hello=HelloRequest(access_token=site.me.access_token))
        await client.tell(hello, ClientFrame(request_id=101, ping=PingRequest()))
        await client.until(lambda frame: frame.request_id == 100 and frame.HasField("hello"))
        early = await client.until(lambda frame: frame.request_id == 101)
        assert early.error.name == "HELLO_REQUIRED"
        assert (await client.ask_for("ping")).HasField("ping")


@pytest.mark.parametrize(("subprotocol", "data"), [(PROTOBUF, '{"ping":{}}'), (JSON, b"\x0a\x02\x08\x07")])
async def test_the_other_kind_of_message_ends_the_connection(site: Site, subprotocol: str, data: bytes | str) -> None:
    async with open_session(site.url, site.me.access_token, subprotocol=subprotocol) as client:
        await client.send_raw(data)
        assert await client.closed() == CloseCode.PROTOCOL_ERROR
        assert await_error(client) == "FRAME_INVALID"


@pytest.mark.parametrize("subprotocol", [PROTOBUF, JSON])
@pytest.mark.parametrize("size", [MAX_FRAME + 1, 3 * MAX_FRAME, 1_000_000])
async def test_a_message_over_the_limit_ends_the_connection(site: Site, subprotocol: str, size: int) -> None:
    async with open_session(site.url, site.me.access_token, subprotocol=subprotocol) as client:
        await client.send_raw("x" * size if subprotocol == JSON else b"x" * size)
        assert await client.closed() in {CloseCode.TOO_LARGE, TOO_BIG}


async def test_the_largest_message_is_taken(site: Site) -> None:
    async with open_session(site.url, site.me.access_token, subprotocol=JSON) as client:
        frame = '{"request_id":"900","ping":{}}'
        await client.send_raw(frame + " " * (MAX_FRAME - len(frame)))
        await client.until(lambda frame: frame.request_id == 900 and frame.HasField("ping"))


@pytest.mark.parametrize("subprotocol", [PROTOBUF, JSON])
async def test_more_than_a_hello_before_hello_ends_the_connection(site: Site, subprotocol: str) -> None:
    async with open_socket(site.url, subprotocol=subprotocol) as client:
        size = MAX_BEFORE_HELLO + 1
        await client.send_raw("x" * size if subprotocol == JSON else b"x" * size)
        assert await client.closed() == CloseCode.TOO_LARGE
        assert await_error(client) == "FRAME_TOO_LARGE"


WIRE: dict[str, tuple[bytes, int]] = {
    "a text that is not UTF-8": (Frame(Opcode.TEXT, b'{"\xff":1}').serialize(mask=True), INVALID_TEXT),
    "a reserved bit": (b"\xc1\x82\x00\x00\x00\x00{}", PROTOCOL_VIOLATION),
    "a reserved opcode": (b"\x83\x80\x00\x00\x00\x00", PROTOCOL_VIOLATION),
    "a continuation of nothing": (Frame(Opcode.CONT, b"x").serialize(mask=True), PROTOCOL_VIOLATION),
    "a ping of 126 bytes": (b"\x89\xfe\x00\x7e\x00\x00\x00\x00" + b"x" * 126, PROTOCOL_VIOLATION),
    "a ping in fragments": (b"\x09\x80\x00\x00\x00\x00", PROTOCOL_VIOLATION),
    "an unmasked frame": (Frame(Opcode.TEXT, b"{}").serialize(mask=False), PROTOCOL_VIOLATION),
    "a message inside another": (
        Frame(Opcode.TEXT, b"{", fin=False).serialize(mask=True) + Frame(Opcode.TEXT, b"}").serialize(mask=True),
        PROTOCOL_VIOLATION,
    ),
}


@pytest.mark.parametrize("name", WIRE)
async def test_what_breaks_the_websocket_protocol_ends_the_connection(site: Site, name: str) -> None:
    data, expected = WIRE[name]
    async with open_session(site.url, site.me.access_token, subprotocol=JSON) as client:
        client.write_wire(data)
        assert await client.closed() == expected


async def test_a_connection_cut_in_the_middle_of_a_frame_leaves_nothing(site: Site) -> None:
    whole = Frame(Opcode.BINARY, ClientFrames(frames=[ClientFrame(ping=PingRequest())]).SerializeToString())
    for cut in range(1, len(whole.serialize(mask=True))):
        async with open_session(site.url, site.me.access_token) as client:
            client.write_wire(whole.serialize(mask=True)[:cut])
            client.abort()


async def test_a_flood_of_bad_frames_keeps_the_connection_and_the_others_unharmed(site: Site) -> None:
    async with (
        open_session(site.url, site.me.access_token, subprotocol=JSON) as client,
        open_session(site.url, site.other.access_token) as other,
    ):
        for _ in range(300):
            await client.send_raw("[" + ",".join(["{}"] * 50) + "]")
        started = time.monotonic()
        assert (await other.ask_for("ping")).HasField("ping")
        assert time.monotonic() - started < 5
        assert (await client.ask_for("send", **site.says())).HasField("send")
        assert len(client.pushed) == 300 * 50
        site.acked |= client.acked


async def test_silence_instead_of_hello_ends_the_connection_after_five_seconds(site: Site) -> None:
    started = time.monotonic()
    async with open_socket(site.url) as client:
        assert await client.closed() == CloseCode.HELLO_TIMEOUT
        assert 4.5 < time.monotonic() - started < 8


async def test_the_json_of_a_good_frame_in_a_list_with_a_bad_one_is_handled(site: Site) -> None:
    async with open_session(site.url, site.me.access_token, subprotocol=JSON) as client:
        good = {"request_id": "901", "ping": {}}
        await client.send_raw(json.dumps([{"request_id": "900", "send": 5}, good]))
        assert (await client.until(lambda frame: frame.request_id == 900)).error.name == "FRAME_INVALID"
        assert (await client.until(lambda frame: frame.request_id == 901)).HasField("ping")
