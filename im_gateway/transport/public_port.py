"""The one public port: reads a request's head, then hands the connection to WebSocket or HTTP."""

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from im_gateway.settings import ConnectionSettings, PublicPortSettings
from im_gateway.transport.abstract import Handler, Handshake
from im_gateway.transport.admission import Admission
from im_gateway.transport.handshake import Refusal, judge_handshake
from im_gateway.transport.head import END, Head, HeadInvalidError, parse_head
from im_gateway.transport.hello_guard import HelloGuard
from im_gateway.transport.http_protocol import BoundedHttpProtocol, HttpEngine, plain_response
from im_gateway.transport.networks import Networks, client_address
from im_gateway.transport.picows_socket import PicowsSocket, feed, websocket_protocol
from im_gateway.transport.tls import TlsFiles

_TLS_HANDSHAKE_TIMEOUT_S: Final = 10.0


class PublicPort:
    """Listens, and gives every accepted WebSocket a handler.

    Args:
        settings: where to listen, bounds, origins, proxies.
        connections: bounds of a socket.
        subprotocols: what may be spoken, best first; empty: none is negotiated.
        handler: makes what lives on a new socket.
        admission: how many are let in.
        application: the ASGI application for everything that is no WebSocket.
        on_refused: told of each handshake that was refused.
    """

    def __init__(
        self,
        settings: PublicPortSettings,
        connections: ConnectionSettings,
        *,
        subprotocols: tuple[str, ...],
        handler: Callable[[Handshake], Handler],
        admission: Admission,
        application: Any,  # noqa: ANN401 - ASGI has no exact type
        on_refused: Callable[[HTTPStatus], None] = lambda _status: None,
    ) -> None:
        self.settings = settings
        self.connections = connections
        self.subprotocols = subprotocols
        self.admission = admission
        self.new_handler = handler
        self.on_refused = on_refused
        self.trusted = Networks(settings.trusted_proxies)
        self.http = HttpEngine(application, settings, upgrade=self._start_over)
        self.tls = TlsFiles(settings.tls) if settings.tls.certificate is not None else None
        self._server: asyncio.Server | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The bound port."""
        assert self._port is not None, "not open"
        return self._port

    async def open(self) -> None:
        """Start to listen.

        Raises:
            OSError: the address is taken.
        """
        self._server = await asyncio.get_running_loop().create_server(
            lambda: HeadProtocol(self),
            self.settings.host,
            self.settings.port,
            backlog=self.settings.backlog,
            ssl=self.tls.context if self.tls else None,
            ssl_handshake_timeout=_TLS_HANDSHAKE_TIMEOUT_S if self.tls else None,
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def _start_over(self, transport: asyncio.Transport, head: bytes) -> None:
        protocol = HeadProtocol(self)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(head)

    def stop_accepting(self) -> None:
        """Take no further connection; those that are open stay."""
        self.admission.draining = True
        if self._server is not None:
            self._server.close()
        self.http.close_idle()


class HeadProtocol(asyncio.Protocol):
    """A connection whose first request is not known yet.

    Args:
        port: whose it is.
    """

    __slots__ = ("_data", "_port", "_timer", "_transport")

    def __init__(self, port: PublicPort) -> None:
        self._port = port
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The head's time starts."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports only look like asyncio's
        self._timer = asyncio.get_running_loop().call_later(self._port.settings.head_timeout_s, self._time_out)

    def data_received(self, data: bytes) -> None:
        """Gather the head; once it is whole, hand the connection over."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        searched = max(0, len(self._data) - len(END) + 1)
        self._data += data
        end = self._data.find(END, searched)
        if end > self._port.settings.max_head_bytes or (
            end < 0 and len(self._data) > self._port.settings.max_head_bytes
        ):
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        if end < 0:
            return
        try:
            head = parse_head(self._data[:end])
        except HeadInvalidError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._stop_timer()
        if head.wants_websocket:
            self._become_websocket(transport, head, self._data[end + len(END) :])
        else:
            self._become_http(transport)
        self._data = b""
        self._transport = None

    def connection_lost(self, _exc: Exception | None) -> None:
        """The connection is gone before it said what it wanted."""
        self._stop_timer()
        self._transport = None

    def _become_http(self, transport: asyncio.Transport) -> None:
        protocol = BoundedHttpProtocol(self._port.http)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(self._data)

    def _become_websocket(self, transport: asyncio.Transport, head: Head, rest: bytes) -> None:
        port = self._port
        peer = transport.get_extra_info("peername")
        address = client_address(peer[0] if peer else "", head.tokens("x-forwarded-for"), port.trusted)
        verdict = judge_handshake(
            head,
            path=port.settings.websocket_path,
            subprotocols=port.subprotocols,
            allowed_origins=port.settings.allowed_origins,
        )
        refusal = verdict if isinstance(verdict, Refusal) else port.admission.judge(address)
        if refusal is not None:
            port.on_refused(refusal.status)
            _answer_refusal(transport, refusal)
            return
        assert isinstance(verdict, str)
        handler = port.new_handler(Handshake(subprotocol=verdict, address=address))
        _open_socket(port, transport, handler, key=head.headers["sec-websocket-key"], subprotocol=verdict, rest=rest)

    def _time_out(self) -> None:
        if self._data:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif self._transport is not None:
            self._transport.abort()  # nothing came: a probe, or a browser's spare connection

    def _refuse(self, status: HTTPStatus) -> None:
        self._stop_timer()
        if self._transport is not None:
            self._transport.write(plain_response(status))
            self._transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _open_socket(
    port: PublicPort, transport: asyncio.Transport, handler: Handler, *, key: str, subprotocol: str, rest: bytes
) -> None:
    limits = port.connections
    socket = PicowsSocket(
        handler,
        max_message_bytes=limits.max_frame_bytes,
        close_timeout_s=limits.close_timeout_s,
        on_hello=lambda: guard.step_aside(),  # noqa: PLW0108 - the guard is made below
    )
    # Twice the cap, so that an honest client's mistake gets an error frame and TOO_LARGE instead of a bare 1009.
    inner = websocket_protocol(socket, subprotocol=subprotocol, max_frame_bytes=2 * limits.max_frame_bytes)
    guard = HelloGuard(inner, transport, max_bytes=limits.max_hello_bytes, on_too_much=handler.on_too_large)
    inner.connection_made(transport)
    transport.set_protocol(guard)
    # A head of our own: the client's was judged already, and picows would keep all of it for the connection's life.
    feed(
        inner,
        b"GET / HTTP/1.1\r\nHost: -\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key.encode("latin-1") + END,
    )
    if rest:
        feed(guard, rest)


def _answer_refusal(transport: asyncio.Transport, refusal: Refusal) -> None:
    reason = refusal.reason
    body = json.dumps(
        {
            "number": reason.number,
            "name": reason.name,
            "message": refusal.message,
            "retryable": reason.retryable,
            "retry_after_ms": "0",
        }
    ).encode()
    transport.write(plain_response(refusal.status, body, headers=refusal.headers, content_type="application/json"))
    transport.close()
