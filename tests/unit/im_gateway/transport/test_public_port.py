"""The public port: heads, handshakes, HTTP beside WebSocket, TLS."""

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from im_gateway.settings import ConnectionSettings, LimitSettings, TlsSettings

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def handshake(path: str = "/ws", *, drop: str = "", **headers: str) -> bytes:
    fields = {
        "Host": "chat.example",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if name != drop), "", ""]
    return "\r\n".join(lines).encode()


async def talk(port: Any, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send some bytes and read until the server closes or answers a whole head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)
        return await asyncio.wait_for(_answer(reader), 5)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    data = b""
    while chunk := await reader.read(4096):
        data += chunk
        if b"\r\n\r\n" in data and b"101 Switching" in data:
            break
    return data


async def test_a_handshake_split_at_every_byte_is_accepted(open_port: Any) -> None:
    async with open_port() as port:
        whole = handshake()
        answers = await asyncio.gather(
            *(talk(port, whole[:cut], whole[cut:], pause_s=0.001) for cut in range(1, len(whole)))
        )
        assert all(b"101 Switching" in answer for answer in answers)
        assert all(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer for answer in answers)


async def test_frames_in_the_same_segment_as_the_handshake_are_read(open_port: Any) -> None:
    async with open_port() as port:
        masked = bytes([0x82, 0x83, 0, 0, 0, 0]) + b"abc"
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        writer.write(handshake() + masked)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"\x82\x03abc"
        writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (handshake("/elsewhere"), b"404"),
        (handshake(drop="Sec-WebSocket-Key"), b"400"),
        (handshake(Sec_WebSocket_Key="short"), b"400"),
        (handshake(Sec_WebSocket_Version="8"), b"426"),
        (handshake(Origin="https://evil.example"), b"403"),
        (handshake(Sec_WebSocket_Protocol="chat"), b"400"),
        (handshake(drop="Sec-WebSocket-Protocol"), b"400"),
        (handshake(Sec_WebSocket_Protocol="im.v9.protobuf"), b"426"),
        (handshake().replace(b"GET", b"POST"), b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
    ],
)
async def test_a_bad_handshake_is_refused_with_its_reason(open_port: Any, request_bytes: bytes, status: bytes) -> None:
    async with open_port(subprotocols=("im.v1.protobuf",)) as port:
        answer = await talk(port, request_bytes)
        assert answer.split(b" ", 2)[1] == status


@pytest.mark.parametrize("origin", ["https://chat.example", "http://CHAT.example", "https://friend.example"])
async def test_the_pages_own_origin_and_allowed_ones_connect(open_port: Any, origin: str) -> None:
    async with open_port(allowed_origins=("https://friend.example",)) as port:
        assert b"101 Switching" in await talk(port, handshake(Origin=origin))


async def test_the_best_offered_subprotocol_is_taken(open_port: Any) -> None:
    async with open_port(subprotocols=("im.v1.protobuf", "im.v1.json")) as port:
        answer = await talk(port, handshake(Sec_WebSocket_Protocol="x, im.v1.json"))
        assert b"sec-websocket-protocol: im.v1.json" in answer.lower()


async def test_a_head_over_its_size_is_refused(open_port: Any) -> None:
    async with open_port(max_head_bytes=1024) as port:
        assert b"431" in await talk(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 2000)


async def test_a_head_that_does_not_come_is_given_up(open_port: Any) -> None:
    async with open_port(head_timeout_s=0.1) as port:
        assert b"408" in await talk(port, b"GET / HTTP/1.1\r\nX: ")
        assert await talk(port) == b""


async def test_handshakes_over_the_limit_come_back_later(open_port: Any) -> None:
    limits = LimitSettings(handshakes_per_s=0.001, handshake_burst=2)
    async with open_port(limits=limits) as port:
        answers = [await talk(port, handshake()) for _ in range(3)]
        assert [b"101" in answer for answer in answers] == [True, True, False]
        assert b"503" in answers[2]
        assert b"Retry-After: 2" in answers[2]


async def test_handshakes_of_one_address_that_come_to_nothing_are_limited(open_port: Any) -> None:
    limits = LimitSettings(failed_handshakes_per_ip_per_s=0.1, failed_handshake_burst_per_ip=2)
    async with open_port(limits=limits, trusted_proxies=("127.0.0.0/8",)) as port:
        answers = [await talk(port, handshake(X_Forwarded_For="9.9.9.9")) for _ in range(3)]
        assert b"429" in answers[2]
        assert b"101" in await talk(port, handshake(X_Forwarded_For="8.8.8.8"))
        port.admission.hello_was_good("9.9.9.9")
        assert b"101" in await talk(port, handshake(X_Forwarded_For="9.9.9.9"))


async def test_the_handler_is_told_the_address_behind_trusted_proxies(open_port: Any) -> None:
    seen: list[str] = []

    class Seen:
        def __init__(self, handshake: Any) -> None:
            seen.append(handshake.address)

        def __getattr__(self, _name: str) -> Any:
            return lambda *_args: None

    for trusted, address in (((), "127.0.0.1"), (("127.0.0.1",), "9.9.9.9")):
        async with open_port(handler=Seen, trusted_proxies=trusted) as port:
            await talk(port, handshake(X_Forwarded_For="1.1.1.1, 9.9.9.9"))
        assert seen[-1] == address


async def test_http_is_served_beside_it(open_port: Any) -> None:
    async with open_port() as port:
        answer = await talk(
            port,
            b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        assert b"/a 5" in answer
        assert b"/b 0" in answer


async def test_a_kept_alive_connection_may_become_a_websocket(open_port: Any) -> None:
    async with open_port() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        writer.write(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"/b 0"), 5)
        writer.write(handshake())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert b"101 Switching" in head
        writer.write(bytes([0x82, 0x83, 0, 0, 0, 0]) + b"abc")
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"\x82\x03abc"
        writer.close()


async def test_a_body_over_its_cap_or_too_slow_is_refused(open_port: Any) -> None:
    async with open_port(max_body_bytes=1024, body_timeout_s=0.1) as port:
        big = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n" + b"x" * 4000
        assert b"413" in await talk(port, big)
        assert b"408" in await talk(port, b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")


async def test_a_second_head_is_bounded_in_time_too(open_port: Any) -> None:
    async with open_port(head_timeout_s=0.1) as port:
        first = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await talk(port, first, b"GET /c HTTP/1.1\r\nX: ", pause_s=0.02)
        assert b"/b 0" in answer
        assert b"408" in answer


async def test_an_idle_kept_alive_connection_is_closed(open_port: Any) -> None:
    async with open_port(keep_alive_s=1) as port:
        assert b"/b 0" in await talk(port, b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_draining_refuses_handshakes_on_open_connections(open_port: Any) -> None:
    async with open_port() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        await asyncio.sleep(0.02)
        port.stop_accepting()
        writer.write(handshake())
        assert b"503" in await asyncio.wait_for(reader.read(), 5)
        writer.close()


def make_certificate(folder: Path, name: str) -> TlsSettings:
    """A self-signed certificate for localhost."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return TlsSettings(certificate=certificate, private_key=key)


async def test_websocket_and_http_over_tls_with_files_that_change(open_port: Any, tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    async with open_port(tls=first) as port:
        context = ssl.create_default_context(cafile=str(first.certificate))
        url = f"wss://127.0.0.1:{port.port}/ws"
        async with connect(url, ssl=context, proxy=None, compression=None) as socket:
            await socket.send(b"x" * 50_000)
            assert await asyncio.wait_for(socket.recv(), 5) == b"x" * 50_000
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port, ssl=context)
        writer.write(b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"/b 0" in await asyncio.wait_for(reader.read(), 5)
        writer.close()

        assert not port.tls.reload_if_changed()
        assert first.certificate is not None
        assert first.private_key is not None
        assert second.certificate is not None
        assert second.private_key is not None
        first.certificate.write_bytes(second.certificate.read_bytes())
        assert not port.tls.reload_if_changed(), "a pair that does not fit is not taken"
        first.private_key.write_bytes(second.private_key.read_bytes())
        assert port.tls.reload_if_changed()
        renewed = ssl.create_default_context(cafile=str(second.certificate))
        async with connect(url, ssl=renewed, proxy=None, compression=None) as socket:
            await socket.send(b"hello")
            assert await asyncio.wait_for(socket.recv(), 5) == b"hello"


async def test_a_peer_that_does_not_answer_a_close_is_dropped(open_port: Any) -> None:
    async with open_port(connections=ConnectionSettings(close_timeout_s=0.1, max_frame_bytes=4096)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        writer.write(handshake() + bytes([0x82, 0xFE, 0x14, 0x00, 0, 0, 0, 0]) + b"x" * 0x1400)
        data = await asyncio.wait_for(reader.read(), 5)
        assert data.endswith(b"\x11\x99too large"), "4505, then the end"
        writer.close()


async def test_a_refused_handshake_is_no_secret(open_port: Any) -> None:
    async with open_port(subprotocols=("im.v1.protobuf",)) as port:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://127.0.0.1:{port.port}/ws", proxy=None, subprotocols=["im.v2.json"]):  # type: ignore[list-item]
                pass
        assert refused.value.response.status_code == 426
        assert b'"VERSION_UNSUPPORTED"' in (refused.value.response.body or b"")
