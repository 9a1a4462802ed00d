"""A connection of the load tester to servers that do not keep their side."""

import asyncio

import pytest

from im_bench.adapters.abstract import AdapterError
from tests.harness.light import open_light


async def test_a_server_that_ends_amid_the_handshake_is_no_connection() -> None:
    async def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(AdapterError, match="amid the handshake") as raised:
            await open_light(f"ws://127.0.0.1:{port}/ws", access_token="token", device_id="device")
    assert raised.value.reason == "no connection"
