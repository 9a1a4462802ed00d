"""A server and a channel to it, over a socket and within the process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import grpc
import pytest

from im_infra.rpc.channels import Channels, create_server
from im_infra.rpc.in_process import InProcessServer

Serve = Callable[[Callable[[grpc.aio.Server], None]], Awaitable[grpc.aio.Channel]]


@pytest.fixture(params=["network", "in-process"])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Serve what `register` adds to a server, and give a channel to it."""
    async with AsyncExitStack() as stack:

        async def start(register: Callable[[grpc.aio.Server], None]) -> grpc.aio.Channel:
            if request.param == "network":
                server = create_server()
                register(server)
                address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
                await server.start()
                channels = Channels()
            else:
                server = InProcessServer()
                register(server)
                address, channels = "in-process:repo", Channels({"repo": server})
            stack.push_async_callback(server.stop, 0)
            stack.push_async_callback(channels.close)
            return channels.get(address)

        yield start
