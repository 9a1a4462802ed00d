"""Counting a socket's bytes until its Hello was good."""

import asyncio
from collections.abc import Callable
from typing import Final

_LINGER_S: Final = 0.2
"""Seconds for the close frame to arrive."""


class HelloGuard(asyncio.BufferedProtocol):
    """Stands before the WebSocket protocol until the peer has proved itself, then steps aside.

    A frame is only seen whole, so a peer without a session could make us hold a large one; here it cannot. After
    `step_aside` the transport talks to the inner protocol, and counting costs nothing any more.

    Args:
        inner: the WebSocket protocol.
        transport: the connection.
        max_bytes: how much may come before the Hello is good.
        on_too_much: called once, when more comes.
    """

    __slots__ = ("_inner", "_left", "_on_too_much", "_transport")

    def __init__(
        self,
        inner: asyncio.BufferedProtocol,
        transport: asyncio.Transport,
        *,
        max_bytes: int,
        on_too_much: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._transport = transport
        self._left = max_bytes
        self._on_too_much = on_too_much

    def step_aside(self) -> None:
        """Let the inner protocol talk to the transport alone."""
        if not self._transport.is_closing():
            self._transport.set_protocol(self._inner)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The inner protocol's buffer."""
        return memoryview(self._inner.get_buffer(sizehint))

    def buffer_updated(self, nbytes: int) -> None:
        """Count, and pass on."""
        if self._left < 0:
            return
        self._left -= nbytes
        if self._left < 0:
            self._on_too_much()
            # The inner protocol will not see the peer's close; what still comes is dropped until then, unread bytes
            # would make the kernel reset the connection and take our close frame with it.
            asyncio.get_running_loop().call_later(_LINGER_S, self._transport.close)
        else:
            self._inner.buffer_updated(nbytes)

    def eof_received(self) -> bool | None:
        """The peer will send no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The transport's buffer drained."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._inner.connection_lost(exc)
