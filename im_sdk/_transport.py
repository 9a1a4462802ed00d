"""The WebSocket: the one file that knows `websockets`."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, NegotiationError
from websockets.typing import Subprotocol

from im_sdk._error_table import ErrorNumber
from im_sdk._errors import UnreachableError, from_table

SUBPROTOCOL: Final = "im.v1.protobuf"
_MESSAGE_LIMIT: Final = 4 * 1024 * 1024
_UPGRADE_REQUIRED: Final = 426


class Socket(Protocol):
    """An open WebSocket."""

    async def send(self, data: bytes) -> None:
        """Write a binary message; waits while the network does not take it. A closed socket takes it and forgets it."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The messages, until the socket is closed."""
        ...

    async def close(self, code: int) -> None:
        """Close; waits for the other side for 2 s at most."""
        ...

    def closed(self) -> tuple[int, str]:
        """The close code and reason; 1006 where there was no close frame."""
        ...


Connect = Callable[[], Awaitable[Socket]]
"""Opens a socket, or raises ImError."""


class _Socket:
    """A socket of `websockets`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, data: bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed:
            return  # the reader reports it

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for message in self._connection:
                yield message if isinstance(message, bytes) else message.encode()
        except ConnectionClosed:
            return  # `closed` says how

    async def close(self, code: int) -> None:
        await self._connection.close(code)

    def closed(self) -> tuple[int, str]:
        code = self._connection.close_code
        return (1006 if code is None else code), self._connection.close_reason or ""


def connector(url: str, *, tls: ssl.SSLContext | None, timeout_s: float) -> Connect:
    """What opens sockets to `url`.

    Args:
        url: `ws://` or `wss://`.
        tls: for wss; None: the system's certificates.
        timeout_s: for the whole handshake.
    """

    async def open_socket() -> Socket:
        try:
            connection = await connect(
                url,
                ssl=tls,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,  # frames are small, and the server has it off
                open_timeout=timeout_s,
                ping_interval=None,  # the protocol has its own
                close_timeout=2,
                max_size=_MESSAGE_LIMIT,
                max_queue=64,  # messages; full: the socket is not read, which the server sees as a slow reader
            )
        except InvalidStatus as refused:
            raise _refused(refused.response.status_code, refused.response.headers.get("Retry-After", "")) from refused
        except NegotiationError as refused:
            raise from_table(ErrorNumber.VERSION_UNSUPPORTED, str(refused)) from refused
        except (OSError, TimeoutError, InvalidHandshake, EOFError) as unreachable:
            raise UnreachableError.because(str(unreachable) or "no answer in time") from unreachable
        if connection.subprotocol != SUBPROTOCOL:
            await connection.close(1002)
            raise from_table(ErrorNumber.VERSION_UNSUPPORTED, f"the server does not speak {SUBPROTOCOL}")
        return _Socket(connection)

    return open_socket


def _refused(status: int, retry_after: str) -> Exception:
    if status == _UPGRADE_REQUIRED:
        return from_table(ErrorNumber.VERSION_UNSUPPORTED, "the server does not serve this protocol version any more")
    error = UnreachableError.because(f"HTTP status {status}")
    if retry_after.isdigit():
        error.retry_after_ms = int(retry_after) * 1000
    return error
