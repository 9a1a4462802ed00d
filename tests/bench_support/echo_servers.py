"""Echo servers with a stopwatch of their own: what the load tester says of them can be compared."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

Echo = Callable[[ServerConnection, str], Awaitable[None]]


@asynccontextmanager
async def echo_server(echo: Echo) -> AsyncIterator[str]:
    """Answer each text as `echo` does; yields the address."""

    async def serve_one(connection: ServerConnection) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for text in connection:
                assert isinstance(text, str)
                tasks.create_task(echo(connection, text))

    async with serve(serve_one, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


class Stopwatch:
    """Echoes after a random time, and measures by itself how long each text was with it."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self.taken_s: list[float] = []
        self._bounds = (least_s, most_s)
        self._random = random.Random(7)

    async def echo(self, connection: ServerConnection, text: str) -> None:
        begun = time.perf_counter()
        await asyncio.sleep(self._random.uniform(*self._bounds))
        self.taken_s.append(time.perf_counter() - begun)
        await connection.send(text)


class Stall:
    """Echoes at once, but for one time when it does nothing for a while."""

    def __init__(self, after: int, stall_s: float) -> None:
        self._after = after
        self._stall_s = stall_s
        self._seen = 0
        self._until = 0.0

    async def echo(self, connection: ServerConnection, text: str) -> None:
        self._seen += 1
        loop = asyncio.get_running_loop()
        if self._seen == self._after:
            self._until = loop.time() + self._stall_s
        if (rest_s := self._until - loop.time()) > 0:
            await asyncio.sleep(rest_s)
        await connection.send(text)
