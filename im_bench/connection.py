"""A light connection: as much of the protocol as a load needs, at a price that leaves the core to the server.

The SDK's machine does far more per message (gaps, stores, retries); a load tester must see what the server sends, bare.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast
from uuid import uuid4

import picows

from im_proto.v1.account_pb2 import DEVICE_CLASS_BOT
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames, ServerFrame, ServerFrames
from im_proto.v1.message_pb2 import Message
from im_proto.v1.session_pb2 import HelloRequest, HelloResponse, PingRequest

SUBPROTOCOL: Final = "im.v1.protobuf"
DEVICE_CLASS: Final = DEVICE_CLASS_BOT
NO_CLOSE_CODE: Final = 1005
"""RFC 6455 § 7.1.5: the close frame carried no code."""
OnAnswer = Callable[[ServerFrame], None]
OnMessage = Callable[["Connection", Message], None]


class ConnectionLostError(Exception):
    """The socket closed while an answer was awaited."""


class AnsweredError(Exception):
    """The server answered with an error frame."""

    def __init__(self, frame: ServerFrame) -> None:
        super().__init__(f"{frame.error.number} {frame.error.name}: {frame.error.message}")
        self.number = frame.error.number


class Connection(picows.WSListener):
    """One socket.

    Args:
        on_message: told every pushed log entry.
        on_resync: told when the server says that this client fell behind (lagged, or a check of the whole account).
    """

    def __init__(self, *, on_message: OnMessage, on_resync: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_resync = on_resync
        self._transport: picows.WSTransport | None = None
        self._waiting: dict[int, OnAnswer] = {}
        self._request_id = 0
        self.hello: HelloResponse | None = None
        self.close_code = 0
        self.lost = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        access_token: str,
        device_id: str,
        on_message: OnMessage,
        on_resync: Callable[[], None],
        local_address: str | None = None,
    ) -> "Connection":
        """Connect and say Hello.

        Raises:
            AnsweredError: the Hello was refused.
            ConnectionLostError, OSError, picows.WSError: there is no connection.
        """
        made = await picows.ws_connect(
            lambda: cls(on_message=on_message, on_resync=on_resync),
            url,
            extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
            websocket_handshake_timeout=30,
            read_buffer_init_size=2048,
            local_addr=(local_address, 0) if local_address else None,
        )
        connection = cast("Connection", made[1])
        answer = await connection.call(
            ClientFrame(
                hello=HelloRequest(
                    access_token=access_token, device_id=device_id, instance_id=uuid4().hex, client_version="im-bench"
                )
            )
        )
        connection.hello = answer.hello
        return connection

    async def call(self, frame: ClientFrame, *, timeout_s: float = 30.0) -> ServerFrame:
        """Send `frame` and wait for its answer.

        Raises:
            AnsweredError: it is an error.
            ConnectionLostError: the socket closed first.
            TimeoutError: there was none in time.
        """
        answered: asyncio.Future[ServerFrame] = asyncio.get_running_loop().create_future()
        self.request(frame, lambda answer: None if answered.done() else answered.set_result(answer))
        async with asyncio.timeout(timeout_s):
            await asyncio.wait({answered, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise ConnectionLostError(f"closed with {self.close_code}")
        answer = answered.result()
        if answer.WhichOneof("event") == "error":
            raise AnsweredError(answer)
        return answer

    def request(self, frame: ClientFrame, on_answer: OnAnswer) -> None:
        """Send `frame`; `on_answer` is called with its answer, or never if the socket closes first."""
        self._request_id += 1
        frame.request_id = self._request_id
        self._waiting[self._request_id] = on_answer
        self._send(frame)

    def tell(self, frame: ClientFrame) -> None:
        """Send `frame` without wanting an answer."""
        self._send(frame)

    def ping(self) -> None:
        """Keep the connection alive."""
        self._send(ClientFrame(ping=PingRequest()))

    async def close(self) -> None:
        """Close the socket politely."""
        if self._transport is not None and not self.lost.done():
            self._transport.send_close(picows.WSCloseCode.OK)
            self._transport.disconnect()
            await self.lost

    def _send(self, frame: ClientFrame) -> None:
        if self._transport is not None and not self.lost.done():
            payload = ClientFrames(frames=(frame,)).SerializeToString()
            self._transport.send(picows.WSMsgType.BINARY, payload)

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take a WebSocket message."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            payload = frame.get_payload_as_bytes()
            self.close_code = int.from_bytes(payload[:2], "big") or NO_CLOSE_CODE
            transport.send(picows.WSMsgType.CLOSE, payload)
            transport.disconnect()
            return
        if frame.msg_type != picows.WSMsgType.BINARY:
            return
        for server_frame in ServerFrames.FromString(frame.get_payload_as_bytes()).frames:
            request_id = server_frame.request_id
            if request_id:
                if (on_answer := self._waiting.pop(request_id, None)) is not None:
                    on_answer(server_frame)
            elif server_frame.HasField("message_push"):
                self._on_message(self, server_frame.message_push.message)
            elif server_frame.HasField("lagged") or (server_frame.HasField("check") and server_frame.check.account):
                self._on_resync()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """Tell who waits."""
        self._waiting.clear()
        if not self.lost.done():
            self.lost.set_result(None)
