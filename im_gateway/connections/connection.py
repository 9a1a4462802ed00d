"""One client's WebSocket connection."""

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from im_gateway.codec import frames
from im_gateway.codec.abstract import Codec, Outgoing
from im_gateway.connections.deadlines import Vitals
from im_gateway.connections.outbound import Outbound
from im_gateway.limits.user_limits import UserLimits
from im_gateway.transport.abstract import Socket
from im_infra import error_table
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.rpc.stream_client import StreamClient
from im_proto.logic.v1.stream_pb2 import Caller

if TYPE_CHECKING:
    from im_gateway.connections.hub import Hub  # the hub makes connections, and a connection knows its hub

_MAX_MESSAGE_BYTES: Final = 65_536
"""Frames that gathered are joined into messages of at most this: one system call each."""

_FIRST_FINAL_CODE: Final = 4500
"""From here on a close code means: do not reconnect (proto/errors.yaml)."""


class State(IntEnum):
    """Where a connection is in its life."""

    NEW = 0
    """No Hello yet."""
    OPENING = 1
    """Its Hello is with logic; pushes wait behind the answer."""
    OPEN = 2
    ENDING = 3
    """The close frame is on its way; nothing more is read or queued."""
    CLOSED = 4


# An enum's member costs a lookup through its class, and its hash a call; the message path compares with these.
_OPENING: Final = int(State.OPENING)
_OPEN: Final = int(State.OPEN)
_ENDING: Final = int(State.ENDING)


class Connection:
    """State of one connection, and its queue: no task, timer or lock of its own.

    Args:
        connection_id: unique in this boot.
        codec: its subprotocol.
        address: the client's, after trusted proxies.
        exempt: without buckets.
        hub: what all connections share.
    """

    __slots__ = (
        "_hub",
        "_reading_paused",
        "_socket",
        "address",
        "caller",
        "codec",
        "command_head",
        "connection_id",
        "device_class",
        "dirty",
        "exempt",
        "generation",
        "heard_at",
        "in_crowd",
        "instance_id",
        "limits",
        "logic",
        "memberships",
        "open_requests",
        "opened_at",
        "outbound",
        "slot",
        "state",
        "token_expires_at",
        "view",
    )

    def __init__(self, connection_id: int, codec: Codec, *, address: str, exempt: bool, hub: "Hub") -> None:
        self.connection_id = connection_id
        self.codec = codec
        self.address = address
        self.exempt = exempt
        self._hub = hub
        self._socket: Socket | None = None
        self._reading_paused = False
        self.state = State.NEW
        self.slot = -1
        self.dirty = False
        self.in_crowd = False
        self.opened_at = self.heard_at = hub.monotonic()
        settings = hub.settings.connections
        self.outbound = Outbound(settings.max_queued_pushes, settings.max_queued_push_bytes)
        self.open_requests = 0
        # known once the Hello was good
        self.caller = Caller()
        self.command_head = b""
        """Serialised `Command.caller`, put in front of every frame that goes to logic."""
        self.generation = 0
        self.instance_id = ""
        self.device_class = 0
        self.token_expires_at: float | None = None
        self.limits: UserLimits | None = None
        self.logic: StreamClient | None = None
        self.memberships: tuple[int, ...] = ()
        """Large conversations it is interested in."""
        self.view: frozenset[int] = frozenset()
        """Large conversations on its screen."""

    # what the transport tells

    def on_open(self, socket: Socket) -> None:
        """The handshake is done."""
        self._socket = socket
        self._hub.on_open(self)

    def on_binary(self, data: bytes) -> None:
        """A binary message came."""
        self._on_message(data, is_text=False)

    def on_text(self, data: str) -> None:
        """A text message came."""
        self._on_message(data, is_text=True)

    def on_heard(self) -> None:
        """A control frame came: it lives."""
        self.heard_at = self._hub.monotonic()

    def on_too_large(self) -> None:
        """A message, or what came before the Hello, is over its limit."""
        self.fail(0, ImError(error_table.FRAME_TOO_LARGE))
        self.end(CloseCode.TOO_LARGE, "too large")

    def on_writable(self) -> None:
        """The kernel takes data again."""
        if (self.outbound or self.outbound.lagged_at is not None) and not self.dirty:
            self._hub.flusher.add(self)

    def on_closed(self) -> None:
        """The connection is gone."""
        if self.state != State.CLOSED:
            self.state = State.CLOSED
            self._socket = None
            self.outbound.clear()
            self._hub.on_closed(self)

    # what the gateway tells the client

    def answer(self, request_id: int, frame: bytes) -> None:
        """Queue a serialised ServerFrame as the answer to a request; nobody waits for those of request 0."""
        if request_id and self.state < _ENDING:
            self._queue(self.codec.answer(request_id, frame))

    def fail(self, request_id: int, error: ImError) -> None:
        """Queue an error; request 0 is told of its failure, too."""
        if self.state < State.ENDING:
            frame = frames.error_frame(error)
            self._queue(self.codec.answer(request_id, frame) if request_id else self.codec.chunk(frame))

    def tell(self, outgoing: Outgoing) -> None:
        """Queue a frame of the gateway's own that must not be dropped."""
        if self.state < State.ENDING:
            self._queue(outgoing.chunk(self.codec))

    def push(self, outgoing: Outgoing, now: float, *, crowd: bool = False) -> None:
        """Queue a push; over the bound everything pushed is dropped and the client told that it lags.

        Args:
            outgoing: what to push.
            now: monotonic seconds.
            crowd: it goes to so many that whatever is told to one alone is written first.
        """
        if not _OPENING <= self.state <= _OPEN:
            return
        outbound = self.outbound
        lagged_before = outbound.lagged_at is not None
        if outbound.push(outgoing.chunk(self.codec), now, outgoing.frames):
            if not self.dirty:
                if not crowd:
                    self._hub.flusher.add(self)
                elif not self.in_crowd:
                    self._hub.flusher.add_to_crowd(self)
            return
        self._hub.tally.dropped_pushes += outgoing.frames
        if not lagged_before:
            self._hub.on_lagged(self)

    def push_through(self, outgoing: Outgoing, now: float) -> None:
        """Write a push at once; where something waits before it, queue it as one of a crowd's. `now`: monotonic seconds."""
        outbound, socket = self.outbound, self._socket
        if (
            self.state == _OPEN
            and not outbound.bytes
            and outbound.lagged_at is None
            and socket is not None
            and socket.writable
        ):
            self._send(socket, (outgoing.chunk(self.codec),), outgoing.frames)
        else:
            self.push(outgoing, now, crowd=True)

    def push_ephemeral(self, outgoing: Outgoing, now: float) -> None:
        """Queue a push that nobody misses, nor waits for: it goes with the next frame, or in a while."""
        if self.state == _OPEN and self.outbound.push_ephemeral(outgoing.chunk(self.codec), now) and not self.dirty:
            self._hub.flusher.linger(self)

    def open(self, hello_request_id: int, hello_frame: bytes) -> None:
        """The Hello was good: its answer goes out, and behind it whatever was pushed meanwhile."""
        assert self.state == State.OPENING
        self.state = State.OPEN
        self.outbound.answer_first(
            self.codec.answer(hello_request_id, hello_frame) if hello_request_id else self.codec.chunk(hello_frame)
        )
        if self._socket is not None:
            self._socket.hello_done()
        if not self.dirty:
            self._hub.flusher.add(self)

    def end(self, code: CloseCode, reason: str, *, kick: bool = False) -> None:
        """Write what waits and close.

        Args:
            code: told in the close frame.
            reason: for people.
            kick: say it in a frame first, so that clients that see no close codes know, too.
        """
        if self.state >= State.ENDING:
            return
        if kick and code >= _FIRST_FINAL_CODE:
            self._queue(self.codec.chunk(frames.kick_frame(code, reason)))
        if self.state == State.OPENING:
            self.outbound.drop_pushes()  # they were meant to come after the Hello's answer, which will not come
        self.state = State.ENDING
        self._write()
        self._hub.count_end(code)
        if self._socket is not None:
            self._socket.close(code, reason)

    def abort(self) -> None:
        """Drop it at once."""
        if self._socket is not None:
            self._socket.abort()

    @property
    def user_id(self) -> int:
        """Whose it is; 0 before the Hello was good."""
        return self.caller.user_id

    @property
    def vitals(self) -> Vitals:
        """What decides about its end."""
        return Vitals(
            opened_at=self.opened_at,
            heard_at=self.heard_at,
            said_hello=self.state != State.NEW,
            token_expires_at=self.token_expires_at,
            lagged_at=self.outbound.lagged_at,
        )

    def flush(self) -> None:
        """Write what waits, as far as the kernel takes it; what waits for the Hello's answer stays."""
        if self.state < _ENDING and self.state != _OPENING:
            self._write()

    def _queue(self, chunk: bytes) -> None:
        self.outbound.answer(chunk)
        if not self.dirty:
            self._hub.flusher.add(self)

    def _write(self) -> None:
        socket, outbound = self._socket, self.outbound
        if socket is None:
            return
        while outbound.bytes and socket.writable:
            chunks, count = outbound.take(_MAX_MESSAGE_BYTES)
            self._send(socket, chunks, count)
        if outbound.lagged_at is not None and not outbound.bytes and socket.writable:
            self._send(socket, (self.codec.chunk(frames.lagged_frame(outbound.caught_up())),), 1)
        if outbound.bytes or self._reading_paused:
            self._pause_or_read(socket)

    def _send(self, socket: Socket, chunks: Sequence[bytes], count: int) -> None:
        """Send one message of chunks that hold so many frames."""
        codec, tally = self.codec, self._hub.tally
        tally.sent_frames += count
        tally.sent_messages += 1
        if codec.is_text:
            socket.send_text(codec.join(chunks, count))
        else:
            socket.send_binary(codec.join(chunks, count))

    def _pause_or_read(self, socket: Socket) -> None:
        """Whoever does not fetch the answers is not asked for more."""
        if (
            self.outbound.answer_bytes > self._hub.settings.connections.max_queued_answer_bytes
        ) != self._reading_paused:
            self._reading_paused = not self._reading_paused
            if self._reading_paused:
                socket.pause_reading()
            else:
                socket.resume_reading()

    def _on_message(self, data: bytes | str, *, is_text: bool) -> None:
        if self.state >= _ENDING:
            return
        self.heard_at = now = self._hub.monotonic()
        if is_text != self.codec.is_text:
            self.fail(
                0, ImError(error_table.FRAME_INVALID, f"{self.codec.subprotocol} takes the other kind of message")
            )
            self.end(CloseCode.PROTOCOL_ERROR, "wrong kind of message")
            return
        codec = self.codec
        decoded = codec.decode(data)
        self._hub.tally.received_frames += len(decoded)
        if self.state == _OPEN:
            self._hub.sessions.on_frames(self, decoded, now, codec.sole_frame(data) if len(decoded) == 1 else b"")
        else:
            self._hub.sessions.on_early_frames(self, decoded, now)
