"""Tells the server what was received, as every official client does: at most once a second and connection, merged.

Not in the world room and in groups above 200 members, where nobody would be told of it.

From a second on it goes with the next message that is sent, after half a second more by itself. Thousands of
connections that confirm in the same moment would stall the generator; so each has its own second.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, Conversation
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor

INTERVAL_S: Final = 1.0
ALONE_AFTER_S: Final = 1.5
TICK_S: Final = 0.01
MAX_MEMBERS: Final = 200
"""Of a group whose members hear what others received."""


class Teller(Protocol):
    """A connection."""

    def write(self, payload: bytes) -> None:
        """Send a WebSocket message."""


class _Waiting(NamedTuple):
    """What a connection received and did not tell yet."""

    since: float
    cursors: dict[int, int]


class Receipts:
    """The pending confirmations of one process."""

    def __init__(self) -> None:
        self._waiting: dict[Teller, _Waiting] = {}  # bounded by the connections and what they are in
        self._due: deque[tuple[Teller, _Waiting]] = deque()
        self._crowds: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def know(self, conversation: Conversation) -> None:
        """How large a conversation is; until it is known what comes from it is confirmed."""
        if (
            conversation.kind == CONVERSATION_KIND_WORLD
            or conversation.large
            or conversation.member_count > MAX_MEMBERS
        ):
            self._crowds.add(conversation.conversation_id)

    def note(self, connection: Teller, conversation_id: int, seq: int) -> None:
        """`connection` received the entry at `seq`."""
        if conversation_id in self._crowds:
            return
        waiting = self._waiting.get(connection)
        if waiting is None:
            waiting = self._waiting[connection] = _Waiting(time.monotonic(), {})
            self._due.append((connection, waiting))
        waiting.cursors[conversation_id] = seq

    def along(self, connection: Teller) -> bytes:
        """What goes with a message that `connection` sends now: a serialised ClientFrames, empty if nothing is due."""
        waiting = self._waiting.get(connection)
        if waiting is None or time.monotonic() < waiting.since + INTERVAL_S:
            return b""
        del self._waiting[connection]
        return _encode(waiting)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Confirm for as long as the context lasts."""
        self._tick()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        latest = time.monotonic() - ALONE_AFTER_S
        while self._due and self._due[0][1].since <= latest:
            connection, waiting = self._due.popleft()
            if self._waiting.get(connection) is waiting:  # else it went along with something
                del self._waiting[connection]
                connection.write(_encode(waiting))
        self._timer = loop.call_later(TICK_S, self._tick)


def _encode(waiting: _Waiting) -> bytes:
    cursors = (Cursor(conversation_id=each, seq=seq) for each, seq in waiting.cursors.items())
    return ClientFrames(frames=(ClientFrame(ack_received=AckReceivedRequest(cursors=cursors)),)).SerializeToString()
