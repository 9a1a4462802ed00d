"""Messages between two of our own processes, over a pair of sockets: a length, then a pickle."""

import asyncio
import pickle
import socket
import struct
from typing import Any, Final, Self

_LENGTH: Final = struct.Struct("!I")


class ChannelClosedError(Exception):
    """The other process is gone."""


class Channel:
    """One end. Use `over` to make it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """A channel over a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=end))

    def send(self, message: object) -> None:
        """Send without waiting; what the other has not read yet waits in memory (a second's counts are some KiB)."""
        payload = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self._writer.write(_LENGTH.pack(len(payload)) + payload)

    async def receive(self) -> Any:  # noqa: ANN401 - any of the messages
        """The next message.

        Raises:
            ChannelClosedError: there will be none.
        """
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            return pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - our own process's
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ChannelClosedError("the other process is gone") from error

    async def close(self) -> None:
        """Send what waits, and close."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
