"""A public port with an echo application on it, the way the gateway itself sits on it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from im_gateway.settings import ConnectionSettings, LimitSettings, PublicPortSettings
from im_gateway.transport.abstract import Handshake, Socket
from im_gateway.transport.admission import Admission
from im_gateway.transport.networks import Networks
from im_gateway.transport.public_port import PublicPort

Opener = Callable[..., contextlib.AbstractAsyncContextManager[PublicPort]]


class Echo:
    """Sends back what comes."""

    def __init__(self, handshake: Handshake) -> None:
        self.handshake = handshake
        self.closed = False
        self.writable_again = 0

    def on_open(self, socket: Socket) -> None:
        self.socket = socket
        socket.hello_done()

    def on_binary(self, data: bytes) -> None:
        self.socket.send_binary(data)

    def on_text(self, data: str) -> None:
        self.socket.send_text(data.encode())

    def on_heard(self) -> None:
        pass

    def on_too_large(self) -> None:
        self.socket.close(4505, "too large")

    def on_writable(self) -> None:
        self.writable_again += 1

    def on_closed(self) -> None:
        self.closed = True


async def hello_application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers every request with its path and the size of its body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = f"{scope['path']} {size}".encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def open_port() -> Opener:
    @contextlib.asynccontextmanager
    async def opener(
        *,
        handler: Callable[[Handshake], Any] = Echo,
        subprotocols: tuple[str, ...] = (),
        connections: ConnectionSettings | None = None,
        limits: LimitSettings | None = None,
        monotonic: Callable[[], float] = lambda: 0.0,
        **public: Any,
    ) -> AsyncIterator[PublicPort]:
        port = PublicPort(
            PublicPortSettings(port=0, **public),
            connections or ConnectionSettings(),
            subprotocols=subprotocols,
            handler=handler,
            admission=Admission(
                limits or LimitSettings(), exempt=Networks(()), monotonic=monotonic, uniform=lambda low, high: low
            ),
            application=hello_application,
        )
        await port.open()
        try:
            yield port
        finally:
            port.stop_accepting()

    return opener
