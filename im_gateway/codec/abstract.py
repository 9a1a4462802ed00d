"""What a subprotocol does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from im_proto.v1.frame_pb2 import ClientFrame


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that could not be read."""

    request_id: int
    """What it would have been, 0 where not even that could be read."""
    message: str


class Outgoing:
    """A server's frame for many connections: encoded at most once per subprotocol.

    Args:
        frame: a serialised ServerFrame without request_id.
    """

    __slots__ = ("_json", "_protobuf", "frame", "frames")

    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.frames = 1
        self._protobuf: bytes | None = None
        self._json: bytes | None = None

    def chunk(self, codec: "Codec") -> bytes:
        """The frame as `codec` puts it into a message."""
        if codec.is_text:
            if self._json is None:
                self._json = codec.chunk(self.frame)
            return self._json
        if self._protobuf is None:
            self._protobuf = codec.chunk(self.frame)
        return self._protobuf


class Run(Outgoing):
    """Several frames, in order, as one: queued, counted by its bytes and written once.

    Args:
        parts: at least one.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Outgoing]) -> None:
        super().__init__(b"")
        self._parts = parts
        self.frames = len(parts)

    def chunk(self, codec: "Codec") -> bytes:
        """The frames as `codec` puts them into a message."""
        if codec.is_text:
            if self._json is None:
                self._json = codec.run([part.chunk(codec) for part in self._parts])
            return self._json
        if self._protobuf is None:
            self._protobuf = codec.run([part.chunk(codec) for part in self._parts])
        return self._protobuf


class Codec(Protocol):
    """A subprotocol. Stateless: one for all connections."""

    subprotocol: str
    is_text: bool
    """Whether its messages are text."""

    def decode(self, data: bytes | str) -> list[ClientFrame | Malformed]:
        """The frames of one whole WebSocket message of the right kind; never raises, never empty."""
        ...

    def sole_frame(self, data: bytes | str) -> bytes:
        """The serialised ClientFrame of a message that holds a single one; empty where it has to be serialised."""
        ...

    def chunk(self, frame: bytes) -> bytes:
        """A serialised ServerFrame as a part of a message."""
        ...

    def answer(self, request_id: int, frame: bytes) -> bytes:
        """The same with the request_id of what it answers put in front."""
        ...

    def run(self, chunks: Sequence[bytes]) -> bytes:
        """Parts as one part of a message."""
        ...

    def join(self, chunks: Sequence[bytes], frames: int) -> bytes:
        """One WebSocket message of parts that hold so many frames."""
        ...
