"""A network that fails on command, between a client and a port of loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_CHUNK: Final = 65_536


class TcpProxy:
    """Passes bytes on, until it is told not to.

    Args:
        target: the port behind it.
        host: where it listens, an address of loopback.
    """

    def __init__(self, target: int, *, host: str = "127.0.0.1") -> None:
        self._target = target
        self._host = host
        self._connections: set[asyncio.Task[object]] = set()
        self.silent = False
        """Nothing passes any more, in neither direction, not even an end."""
        self.keeps_answers = False
        """What comes back from the target is swallowed; what goes there passes."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listen while the context is open; gives the port."""
        listener = await asyncio.start_server(self._accept, self._host, 0)
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            await self.cut()
            await listener.wait_closed()

    async def cut(self) -> None:
        """End every connection, on both sides; new ones are taken."""
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._join(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._pass(reader, back, answers=False), self._pass(there, writer, answers=True))
        except OSError:
            pass  # one side has gone: so does the other
        finally:
            writer.close()
            back.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(_CHUNK):
            if not self.silent and not (answers and self.keeps_answers):
                writer.write(data)
                await writer.drain()
        if self.silent:
            await asyncio.Event().wait()
        writer.close()
