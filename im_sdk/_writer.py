"""Frames on their way to the socket, gathered into as few WebSocket messages as the limit allows."""

from collections import deque
from typing import Any, Final

from google.protobuf.message import Message as Wire

from im_proto.v1 import frame_pb2

_FRAMES_TAG: Final = b"\x0a"
"""Field 1 of ClientFrames, length-delimited: frames are serialised once and put together as bytes."""


class Writer:
    """Serialised frames, in order."""

    __slots__ = ("_queue", "max_bytes")

    def __init__(self, *, max_bytes: int) -> None:
        self._queue: deque[bytes] = deque()
        """Bounded by what may be open at all: the outbox's limit and the requests that somebody awaits."""
        self.max_bytes = max_bytes

    def put(self, operation: str, wire: Wire, request_id: int, *, traceparent: str = "") -> None:
        """Take a frame: the operation's field with its message."""
        fields: dict[str, Any] = {operation: wire, "request_id": request_id, "traceparent": traceparent}
        frame = frame_pb2.ClientFrame(**fields)
        body = frame.SerializeToString()
        self._queue.append(_FRAMES_TAG + _varint(len(body)) + body)

    def take(self) -> bytes | None:
        """The next WebSocket message: one frame at least, more while they fit; None: nothing waits."""
        queue = self._queue
        if not queue:
            return None
        if len(queue) == 1:
            return queue.popleft()
        parts = [queue.popleft()]
        size = len(parts[0])
        while queue and (size := size + len(queue[0])) <= self.max_bytes:
            parts.append(queue.popleft())
        return b"".join(parts)

    def clear(self) -> None:
        """The connection is gone."""
        self._queue.clear()

    def __bool__(self) -> bool:
        return bool(self._queue)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
