"""Opening sockets, and what their failures mean."""

import socket

import pytest

from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError, UnreachableError
from im_sdk._http import socket_url
from im_sdk._transport import connector
from tests.sdk_support.live_server import LiveServer


async def test_a_refused_handshake_says_when_to_come_back(live: LiveServer) -> None:
    live.refuse_handshake = (503, {"Retry-After": "7"})
    with pytest.raises(UnreachableError) as caught:
        await connector(socket_url(live.url), tls=None, timeout_s=5)()
    assert caught.value.retryable
    assert caught.value.retry_after_ms == 7_000


async def test_a_version_that_is_not_served_any_more_is_final(live: LiveServer) -> None:
    live.refuse_handshake = (426, {})
    with pytest.raises(ImError) as caught:
        await connector(socket_url(live.url), tls=None, timeout_s=5)()
    assert caught.value.number == ErrorNumber.VERSION_UNSUPPORTED
    assert not caught.value.retryable


async def test_nobody_listens(unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError):
        await connector(f"ws://127.0.0.1:{unused_tcp_port}/ws", tls=None, timeout_s=5)()


async def test_a_port_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UnreachableError):
            await connector(f"ws://127.0.0.1:{port}/ws", tls=None, timeout_s=0.1)()


async def test_messages_and_the_close_code(live: LiveServer) -> None:
    opened = await connector(socket_url(live.url), tls=None, timeout_s=5)()
    live.close_all(4502)
    assert [message async for message in opened] == []
    assert opened.closed()[0] == 4502
    await opened.send(b"a closed socket takes it and forgets it")
    await opened.close(1000)


async def test_a_cut_connection_has_no_close_frame(live: LiveServer) -> None:
    opened = await connector(socket_url(live.url), tls=None, timeout_s=5)()
    live.abort_all()
    assert [message async for message in opened] == []
    assert opened.closed()[0] == 1006
