"""What the rest of the gateway knows of a WebSocket.

The engine behind it (picows) is replaceable: nothing outside `transport` imports it.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Handshake:
    """An accepted WebSocket handshake."""

    subprotocol: str
    address: str
    """The client's address, after trusted proxies."""


class Socket(Protocol):
    """The sending side of an open WebSocket."""

    @property
    def writable(self) -> bool:
        """Whether the kernel takes more; what is sent while it is not is buffered in memory."""
        ...

    def send_binary(self, data: bytes) -> None:
        """Send one binary message."""
        ...

    def send_text(self, data: bytes) -> None:
        """Send one text message, given in UTF-8."""
        ...

    def pause_reading(self) -> None:
        """Stop reading; the client's window fills up."""
        ...

    def resume_reading(self) -> None:
        """Read again."""
        ...

    def hello_done(self) -> None:
        """The peer has proved itself: stop counting its bytes."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Send what is buffered and a close frame; abort if the peer does not answer in time. Idempotent."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


class Handler(Protocol):
    """What lives on a WebSocket. Every method is called from the loop, in order, and returns quickly."""

    def on_open(self, socket: Socket) -> None:
        """The handshake is done; the first call."""
        ...

    def on_binary(self, data: bytes) -> None:
        """A whole binary message came."""
        ...

    def on_text(self, data: str) -> None:
        """A whole text message came; its UTF-8 was valid."""
        ...

    def on_heard(self) -> None:
        """A control frame came."""
        ...

    def on_too_large(self) -> None:
        """A message is over the limit and was dropped; the handler closes."""
        ...

    def on_writable(self) -> None:
        """The kernel takes data again."""
        ...

    def on_closed(self) -> None:
        """The connection is gone; the last call."""
        ...
