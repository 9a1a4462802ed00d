"""A light connection: as much of the protocol as a load needs, at a price that leaves the core to the server.

The SDK's machine does far more per message (gaps, stores, retries); a load tester must see what the server sends, bare.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, cast
from uuid import uuid4

import picows

from im_bench.adapters.abstract import AdapterError, Mailbox, Outcome, Refusal
from im_bench.adapters.im.receipts import Receipts
from im_proto.v1.conversation_pb2 import Conversation
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames
from im_proto.v1.session_pb2 import HelloRequest, HelloResponse, PingRequest

SUBPROTOCOL: Final = "im.v1.protobuf"
NO_CLOSE_CODE: Final = 1005
"""RFC 6455 § 7.1.5: the close frame carried no code."""
CUT: Final = 1006
"""RFC 6455 § 7.1.5: there was no close frame."""
HANDSHAKE_S: Final = 30.0
QUIET_S: Final = 45.0
"""As the SDK: a connection that said nothing for so long, and at most twice that, pings; after 110 s it would be closed."""
SMALL_BUFFER_BYTES: Final = 32 * 1024
LARGE_BUFFER_BYTES: Final = 1024 * 1024
OnAnswer = Callable[[ServerFrame], None]


class ConnectionLostError(AdapterError):
    """The socket closed while an answer was awaited."""


class AnsweredError(AdapterError):
    """The server answered with an error frame."""

    def __init__(self, frame: ServerFrame) -> None:
        error = frame.error
        super().__init__(f"{error.number} {error.name}: {error.message}", reason=error.name)
        self.frame = frame


class SendFrame:
    """The frame of a send, made once per process: filling it in costs a fifth of building one."""

    def __init__(self) -> None:
        self._frames = ClientFrames(frames=(ClientFrame(),))
        self._frame = self._frames.frames[0]
        self._send = self._frame.send
        self._text = self._send.content.text

    def encode(self, request_id: int, conversation_id: int, message_id: str, text: str, attempt: int) -> bytes:
        """The bytes of a WebSocket message with one send."""
        self._frame.request_id = request_id
        send = self._send
        send.conversation_id, send.client_message_id, send.attempt = conversation_id, message_id, attempt
        self._text.text = text
        return self._frames.SerializeToString()


class Pushed(NamedTuple):
    """What counts of a frame that pushes a message."""

    conversation_id: int
    seq: int
    text: str


class SharedFrames:
    """Remembers the last WebSocket message: many members of a group are pushed the same bytes one after the other.

    Never one with an answer in it: that is its caller's own, who may change it, though another's has the same bytes.
    """

    def __init__(self) -> None:
        self._payload: bytes | None = None
        self._frames: list[Pushed | ServerFrame] = []

    def parse(self, payload: bytes) -> Sequence[Pushed | ServerFrame]:
        """The frames in a payload. Pushes are not to be changed; messages are taken out of theirs, once for all members."""
        if payload != self._payload:
            frames = ServerFrames.FromString(payload).frames
            self._payload = None if any(frame.request_id for frame in frames) else payload
            self._frames = [_taken_out(frame) for frame in frames]
        return self._frames


def _taken_out(frame: ServerFrame) -> Pushed | ServerFrame:
    if not frame.request_id:
        message = frame.message_push.message  # an empty one where there is none: cheaper than to ask
        if conversation_id := message.conversation_id:
            return Pushed(conversation_id, message.seq, message.content.text.text)
    return frame


class Connection(picows.WSListener):
    """One socket; a `Client`.

    Args:
        mailbox: told what is pushed.
        receipts: told what was received; None: this client confirms nothing.
        send_frame: of this process.
        shared_frames: of this process.
    """

    def __init__(
        self, mailbox: Mailbox, receipts: Receipts | None, *, send_frame: SendFrame, shared_frames: SharedFrames
    ) -> None:
        self._mailbox = mailbox
        self._receipts = receipts
        self._send_frame = send_frame
        self._shared_frames = shared_frames
        self._transport: picows.WSTransport | None = None
        self._waiting: dict[int, Outcome | OnAnswer] = {}
        self._request_id = 0
        self._closing = False
        self._spoke = True
        self._quiet: asyncio.TimerHandle | None = None
        self.hello = HelloResponse()
        self.close_code = CUT
        self.lost = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls,
        url: str,
        hello: HelloRequest,
        *,
        make: "Callable[[], Connection]",
        tls: ssl.SSLContext | None,
        source_address: str | None,
    ) -> "Connection":
        """Connect and say Hello; where that fails or is cancelled, nothing stays open.

        Args:
            url: `ws://host:port/ws`.
            hello: credential, device and whatever else; the instance is filled in.
            make: a fresh connection object.
            tls: what to verify a `wss` address with.
            source_address: the address to connect from; None: the system's choice.

        Raises:
            AnsweredError: the Hello was refused.
            AdapterError: there is no connection.
        """
        try:
            made = await picows.ws_connect(
                make,
                url,
                ssl_context=tls,
                extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
                websocket_handshake_timeout=HANDSHAKE_S,
                read_buffer_init_size=2048,
                local_addr=(source_address, 0) if source_address else None,
            )
        except picows.WSInvalidStatusError as error:
            raise AdapterError(f"no connection to {url}: {error}", reason="handshake refused") from error
        except (OSError, picows.WSError) as error:
            raise AdapterError(f"no connection to {url}: {error}", reason="no connection") from error
        connection = cast("Connection | None", made[1])
        if connection is None:  # the server ended it amid the handshake
            raise AdapterError(f"no connection to {url}: closed amid the handshake", reason="no connection")
        hello.instance_id = hello.instance_id or uuid4().hex
        try:
            connection.hello = (await connection.call(ClientFrame(hello=hello))).hello
        except BaseException:  # nobody has it, so nobody else would close it
            connection.cut()
            raise
        return connection

    async def call(self, frame: ClientFrame, *, timeout_s: float = 30.0) -> ServerFrame:
        """Send `frame` and wait for its answer.

        Raises:
            AnsweredError: it is an error.
            ConnectionLostError: the socket closed first, or there was no answer in time.
        """
        answered: asyncio.Future[ServerFrame] = asyncio.get_running_loop().create_future()
        self.request(frame, lambda answer: None if answered.done() else answered.set_result(answer))
        await asyncio.wait({answered, self.lost}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            message = f"closed with {self.close_code}" if self.lost.done() else f"no answer in {timeout_s:g} s"
            raise ConnectionLostError(message, reason=message)
        answer = answered.result()
        if answer.WhichOneof("event") == "error":
            raise AnsweredError(answer)
        return answer

    def request(self, frame: ClientFrame, on_answer: OnAnswer) -> None:
        """Send `frame`; `on_answer` is called with its answer, or never if the socket closes first."""
        self._request_id += 1
        frame.request_id = self._request_id
        self._waiting[self._request_id] = on_answer
        self.tell(frame)

    def tell(self, frame: ClientFrame) -> None:
        """Send `frame` without wanting an answer."""
        self.write(ClientFrames(frames=(frame,)).SerializeToString())

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:
        """Send a message (see `Client`)."""
        self._request_id += 1
        self._waiting[self._request_id] = outcome
        payload = self._send_frame.encode(self._request_id, conversation_id, message_id, text, attempt)
        if self._receipts is not None:
            payload += self._receipts.along(self)  # elements of a repeated field concatenate
        self.write(payload)

    def know(self, conversation: Conversation) -> None:
        """What the server says of a conversation: in a crowd nothing is confirmed."""
        if self._receipts is not None:
            self._receipts.know(conversation)

    def ping(self, on_answer: Callable[[], None]) -> None:
        """Keep the connection alive."""
        self.request(ClientFrame(ping=PingRequest()), lambda _answer: on_answer())

    def stop_reading(self) -> None:
        """Leave what comes in the kernel's buffer, made as small as it may be, so that the server soon feels it."""
        if self._transport is not None and not self.lost.done():
            self._buffer(SMALL_BUFFER_BYTES)
            cast("asyncio.ReadTransport", self._transport.underlying_transport).pause_reading()

    def go_on_reading(self) -> None:
        """Read again."""
        if self._transport is not None and not self.lost.done():
            self._buffer(LARGE_BUFFER_BYTES)
            cast("asyncio.ReadTransport", self._transport.underlying_transport).resume_reading()

    def _buffer(self, size: int) -> None:
        assert self._transport is not None, "it is connected"
        own = self._transport.underlying_transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    async def close(self) -> None:
        """Close the socket politely."""
        if self._transport is not None and not self.lost.done():
            self._closing = True
            self._transport.send_close(picows.WSCloseCode.OK)
            self._transport.disconnect()
            await self.lost

    def cut(self) -> None:
        """End the connection as a broken network would: no close frame."""
        if self._transport is not None and not self.lost.done():
            self._closing = True
            self._transport.disconnect(graceful=False)

    def write(self, payload: bytes) -> None:
        """Send a serialised ClientFrames, unless the socket is closed."""
        if self._transport is not None and not self.lost.done():
            self._spoke = True
            self._transport.send(picows.WSMsgType.BINARY, payload)

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Keep the transport, and begin to keep the connection alive."""
        self._transport = transport
        self._keep_alive()

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take a WebSocket message."""
        if frame.msg_type == picows.WSMsgType.BINARY:
            for told in self._shared_frames.parse(frame.get_payload_as_bytes()):
                if isinstance(told, Pushed):
                    conversation_id, seq, text = told
                    if self._receipts is not None:
                        self._receipts.note(self, conversation_id, seq)
                    self._mailbox.deliver(conversation_id, seq, text)
                elif told.request_id:
                    self._take_answer(told)
                else:
                    self._take_push(told)
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            payload = frame.get_payload_as_bytes()
            self.close_code = int.from_bytes(payload[:2], "big") or NO_CLOSE_CODE
            transport.send(picows.WSMsgType.CLOSE, payload)
            transport.disconnect()

    def _take_answer(self, frame: ServerFrame) -> None:
        waiting = self._waiting.pop(frame.request_id, None)
        if waiting is None:
            return
        if callable(waiting):
            waiting(frame)
        elif frame.HasField("send"):
            waiting.acked(frame.send.seq)
        else:
            error = frame.error
            waiting.refused(Refusal(error.name, error.retryable, error.retry_after_ms / 1000, error.message))

    def _take_push(self, frame: ServerFrame) -> None:
        if frame.HasField("head_push"):
            for head in frame.head_push.heads:
                self._mailbox.head(head.conversation_id, head.max_seq)
        elif frame.HasField("lagged") or (frame.HasField("check") and frame.check.account):
            self._mailbox.resync()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """Tell who waits."""
        self._waiting.clear()
        if self._quiet is not None:
            self._quiet.cancel()
        if not self.lost.done():
            self.lost.set_result(None)
            self._mailbox.closed(0 if self._closing else self.close_code)

    def _keep_alive(self) -> None:
        """Ping if nothing was said since the last look. What connects thousands takes minutes before it says a word."""
        if not self._spoke:
            self.tell(ClientFrame(ping=PingRequest()))
        self._spoke = False
        self._quiet = asyncio.get_running_loop().call_later(QUIET_S, self._keep_alive)
