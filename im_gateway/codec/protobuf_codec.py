"""`im.v1.protobuf`: one ClientFrames or ServerFrames a binary message."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from im_gateway.codec.abstract import Malformed
from im_infra.contract.wire import varint
from im_proto.v1.frame_pb2 import ClientFrame, ClientFrames

_FRAMES: Final = b"\x0a"
"""Tag of `frames` in ServerFrames."""
_REQUEST_ID: Final = b"\x08"
"""Tag of `request_id` in ServerFrame."""


class ProtobufCodec:
    """The binary subprotocol."""

    subprotocol: str = "im.v1.protobuf"
    is_text: bool = False

    def decode(self, data: bytes | str) -> list[ClientFrame | Malformed]:
        """The frames of a message."""
        assert isinstance(data, bytes)
        try:
            frames = ClientFrames.FromString(data).frames
        except DecodeError:
            return [Malformed(0, "not a ClientFrames")]
        return list(frames) or [Malformed(0, "a message holds at least one frame")]

    def sole_frame(self, data: bytes | str) -> bytes:
        """What lies behind the length, where the frame is all that the message holds."""
        assert isinstance(data, bytes)
        size = len(data)
        start = 2 if size < 130 else 3 if size < 16_387 else 4  # the tag, and a length of one to three bytes
        return data[start:] if data[:start] == _FRAMES + varint(size - start) else b""

    def chunk(self, frame: bytes) -> bytes:
        """A frame as an element of `ServerFrames.frames`."""
        return _FRAMES + varint(len(frame)) + frame

    def answer(self, request_id: int, frame: bytes) -> bytes:
        """The same with `request_id` in front."""
        head = _REQUEST_ID + varint(request_id)
        return _FRAMES + varint(len(head) + len(frame)) + head + frame

    def run(self, chunks: Sequence[bytes]) -> bytes:
        """Elements of a repeated field concatenate."""
        return b"".join(chunks)

    def join(self, chunks: Sequence[bytes], frames: int) -> bytes:
        """The same: a message is its elements."""
        del frames
        return b"".join(chunks)
