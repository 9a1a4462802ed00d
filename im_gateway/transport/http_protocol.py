"""uvicorn's HTTP protocol with bounds it does not have: size and time of every head and body."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from im_gateway.settings import PublicPortSettings


class HttpEngine:
    """What all HTTP connections of the port share.

    Args:
        application: the ASGI application.
        settings: bounds.
        upgrade: takes over a kept-alive connection on which a WebSocket handshake came, with its head.
    """

    def __init__(
        self,
        application: Any,  # noqa: ANN401 - ASGI has no exact type
        settings: PublicPortSettings,
        *,
        upgrade: Callable[[asyncio.Transport, bytes], None],
    ) -> None:
        self.settings = settings
        self.upgrade = upgrade
        self.config = Config(
            application,
            http=HttpToolsProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=int(settings.keep_alive_s),
        )
        self.config.load()
        self.state = ServerState()

    def close_idle(self) -> None:
        """Close connections as soon as their request is answered; idle ones at once."""
        for connection in list(self.state.connections):
            connection.shutdown()


class BoundedHttpProtocol(HttpToolsProtocol):
    """One HTTP connection.

    Args:
        engine: what all of them share.
    """

    def __init__(self, engine: HttpEngine) -> None:
        super().__init__(config=engine.config, server_state=engine.state, app_state={})
        self._engine = engine
        self._settings = engine.settings
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._body_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head, and pass on."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation leaves out that it starts as None
        if cycle is None or cycle.response_complete:
            self._head_bytes += len(data)
            if self._head_bytes > self._settings.max_head_bytes + self._settings.max_body_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            if self._deadline is None:
                self._arm(self._settings.head_timeout_s)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is in: the body's time starts."""
        self._head_bytes = 0
        self._body_bytes = 0
        self._arm(self._settings.body_timeout_s)
        super().on_headers_complete()

    def _should_upgrade_to_ws(self) -> bool:
        return True

    def handle_websocket_upgrade(self) -> None:
        """A handshake came on a kept-alive connection, as proxies do: judge it like a first request."""
        self._disarm()
        self.connections.discard(self)
        lines = [b"%b %b HTTP/1.1" % (self.scope["method"].encode(), self.url)]
        lines.extend(name + b": " + value for name, value in self.scope["headers"])
        self._engine.upgrade(self.transport, b"\r\n".join([*lines, b"", b""]))

    def on_body(self, body: bytes) -> None:
        """Count the body, and pass on."""
        self._body_bytes += len(body)
        if self._body_bytes > self._settings.max_body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._disarm()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._disarm()
        super().connection_lost(exc)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self._loop.call_later(seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._disarm()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(plain_response(status))
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


def plain_response(
    status: HTTPStatus,
    body: bytes = b"",
    *,
    headers: tuple[tuple[str, str], ...] = (),
    content_type: str = "text/plain",
) -> bytes:
    """A whole response that ends the connection."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Connection: close", f"Content-Length: {len(body)}"]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines.extend(f"{name}: {value}" for name, value in headers)
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
