"""A WebSocket on picows: the only file that imports it.

picows gives frames, not messages, and no close handshake; both are done here. Its `WSProtocol` constructor is not
public API: the version is pinned and `tests/unit` opens a socket through it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not public: pinned, and tested by the Autobahn cases

from im_gateway.transport.abstract import Handler
from im_gateway.transport.assembly import Assembly, Opcode, TooLargeError, ViolationError, close_answer, decode_text


class _OnlyOurBugs(logging.LoggerAdapter[logging.Logger]):
    """picows' log without what peers do wrong: it says `error` of their violations and `exception` of our bugs.

    An adapter also because picows makes a child logger per connection of a plain `Logger`.
    """

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - logging's own signature
        """A peer broke the protocol: not worth a line at its will."""
        self.debug(msg, *args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - as above
        """A connection came or went: thousands do."""
        self.debug(msg, *args, **kwargs)


_LOGGER: Final = _OnlyOurBugs(logging.getLogger("picows.gateway"), {})

_PING = WSMsgType.PING
_PONG = WSMsgType.PONG
_CLOSE = WSMsgType.CLOSE
_TEXT = WSMsgType.TEXT
_BINARY = WSMsgType.BINARY
_COPIED_BYTES: Final = 8_192
"""What picows copies into one piece with its header; 2.3.1 hands on more than that as two."""
_HEADER_SPACE: Final = bytearray(14)
"""What picows asks for in front of a message."""
_MAX_REASON_BYTES: Final = 120
"""A control frame holds 125 bytes, two of them the code."""


class PicowsSocket(WSListener):
    """One open WebSocket.

    Args:
        handler: what lives on it.
        max_message_bytes: cap of a whole message.
        close_timeout_s: seconds the peer has to answer a close.
        on_hello: called once the peer has proved itself.
    """

    __slots__ = (
        "_assembly",
        "_close_timer",
        "_handler",
        "_max_message_bytes",
        "_on_hello",
        "_transport",
        "close_timeout_s",
        "writable",
    )

    def __init__(
        self, handler: Handler, *, max_message_bytes: int, close_timeout_s: float, on_hello: Callable[[], None]
    ) -> None:
        self._handler = handler
        self._max_message_bytes = max_message_bytes
        self.close_timeout_s = close_timeout_s
        self._on_hello = on_hello
        self._assembly: Assembly | None = None
        self._transport: WSTransport | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self.writable = True

    # picows calls these

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self._handler.on_open(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame came; the frame's memory is picows' and dies with this call."""
        if transport.is_close_frame_sent and frame.msg_type != _CLOSE:
            return
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._fail(1002, "reserved bits are set")
        elif kind == _BINARY and frame.fin and self._assembly is None and frame.payload_size <= self._max_message_bytes:
            self._handler.on_binary(frame.get_payload_as_bytes())
        elif kind == _CLOSE:
            self._answer_close(transport, frame)
        elif kind == _PING:
            if self.writable:  # a peer that floods pings and reads nothing gets no pongs
                transport.send_pong(frame.get_payload_as_bytes())
            self._handler.on_heard()
        elif kind == _PONG:
            self._handler.on_heard()
        else:
            self._assemble(frame)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """The connection is gone; break the cycles by hand, since frozen objects are never collected."""
        if self._close_timer is not None:
            self._close_timer.cancel()
            self._close_timer = None
        self._transport = None
        self._assembly = None
        self._handler.on_closed()

    def pause_writing(self) -> None:
        """The transport's buffer is over its high mark."""
        self.writable = False

    def resume_writing(self) -> None:
        """The transport's buffer drained."""
        self.writable = True
        if self._transport is not None:
            self._handler.on_writable()

    # the gateway calls these

    def send_binary(self, data: bytes) -> None:
        """Send one binary message."""
        if self._transport is not None:
            if len(data) > _COPIED_BYTES:
                self._send_large(self._transport, _BINARY, data)
            else:
                self._transport.send(_BINARY, data)

    def send_text(self, data: bytes) -> None:
        """Send one text message, given in UTF-8."""
        if self._transport is not None:
            if len(data) > _COPIED_BYTES:
                self._send_large(self._transport, _TEXT, data)
            else:
                self._transport.send(_TEXT, data)

    @staticmethod
    def _send_large(transport: WSTransport, kind: WSMsgType, data: bytes) -> None:
        """Send what picows would not copy: it lends uvloop the memory of its header, and the next send writes over it."""
        transport.send_reuse_external_bytearray(kind, _HEADER_SPACE + data, len(_HEADER_SPACE))

    def pause_reading(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._transport.underlying_transport.resume_reading()

    def hello_done(self) -> None:
        """Stop counting the peer's bytes."""
        self._on_hello()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame and wait a while for the peer's."""
        transport = self._transport
        if transport is None or transport.is_close_frame_sent:
            return
        _send_close(transport, code, reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore"))
        self.resume_reading()  # or the peer's close would never be seen
        loop = asyncio.get_running_loop()
        self._close_timer = loop.call_later(self.close_timeout_s, self.abort)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _assemble(self, frame: WSFrame) -> None:
        if self._assembly is None:
            self._assembly = Assembly(self._max_message_bytes)
        try:
            message = self._assembly.feed(cast(int, frame.msg_type), frame.get_payload_as_bytes(), final=frame.fin)
            if message is None:
                return
            self._assembly = None
            if message[0] == Opcode.TEXT:
                self._handler.on_text(decode_text(message[1]))
            else:
                self._handler.on_binary(message[1])
        except ViolationError as violation:
            self._fail(violation.code, violation.reason)
        except TooLargeError:
            self._assembly = None
            self._handler.on_too_large()

    def _answer_close(self, transport: WSTransport, frame: WSFrame) -> None:
        if not transport.is_close_frame_sent:
            code = cast(int, frame.get_close_code()) if frame.payload_size else None
            _send_close(transport, close_answer(code), "")
        transport.disconnect()

    def _fail(self, code: int, reason: str) -> None:
        transport = self._transport
        if transport is not None and not transport.is_close_frame_sent:
            _send_close(transport, code, reason)
            transport.disconnect()


def websocket_protocol(
    socket: PicowsSocket, *, subprotocol: str, max_frame_bytes: int, read_buffer_bytes: int = 1024
) -> asyncio.BufferedProtocol:
    """A server protocol of picows with `socket` on it; feed it a request head through `get_buffer`/`buffer_updated`.

    Args:
        socket: gets the frames.
        subprotocol: what the client is answered.
        max_frame_bytes: a frame above it is answered 1009 before it is read.
        read_buffer_bytes: start size; 1 KiB keeps an idle connection at about 8 KiB in all.
    """

    def accept(_request: object) -> WSUpgradeResponseWithListener:
        response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {})
        return WSUpgradeResponseWithListener(response, socket)

    protocol: asyncio.BufferedProtocol = WSProtocol(
        None, None, False, accept, _LOGGER, True, None, False, 10, 10, WSAutoPingStrategy.PING_WHEN_IDLE, False,
        max_frame_bytes, None, read_buffer_bytes,
    )  # fmt: skip
    return protocol


def feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Hand over bytes that were read before the protocol was there."""
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        taken = min(len(buffer), len(data))
        buffer[:taken] = data[:taken]
        protocol.buffer_updated(taken)
        data = data[taken:]


def _send_close(transport: WSTransport, code: int, reason: str) -> None:
    transport.send_close(cast(WSCloseCode, code), reason.encode())  # any 16-bit code goes on the wire
