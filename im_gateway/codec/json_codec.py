"""`im.v1.json`: a text message holds one frame or a list of frames, in protobuf's JSON mapping."""

from collections.abc import Sequence

from im_gateway.codec.abstract import Malformed
from im_gateway.codec.json_mapping import JsonInvalidError, from_json_value, parse_json, to_json
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame


class JsonCodec:
    """The text subprotocol, for wscat and for curious people."""

    subprotocol: str = "im.v1.json"
    is_text: bool = True

    def decode(self, data: bytes | str) -> list[ClientFrame | Malformed]:
        """The frames of a message; a malformed one does not spoil the others."""
        try:
            value = parse_json(data)
        except JsonInvalidError as error:
            return [Malformed(0, str(error))]
        values = value if isinstance(value, list) else [value]
        return [_decode(each) for each in values] or [Malformed(0, "a message holds at least one frame")]

    def sole_frame(self, data: bytes | str) -> bytes:
        """None: JSON is no serialised frame."""
        del data
        return b""

    def chunk(self, frame: bytes) -> bytes:
        """A frame as a JSON object."""
        return to_json(ServerFrame.FromString(frame))

    def answer(self, request_id: int, frame: bytes) -> bytes:
        """The same with `request_id`."""
        parsed = ServerFrame.FromString(frame)
        parsed.request_id = request_id
        return to_json(parsed)

    def run(self, chunks: Sequence[bytes]) -> bytes:
        """Objects of a list, without its brackets."""
        return b",".join(chunks)

    def join(self, chunks: Sequence[bytes], frames: int) -> bytes:
        """One object, or a list of several."""
        return chunks[0] if frames == 1 else b"[" + b",".join(chunks) + b"]"


def _decode(value: object) -> ClientFrame | Malformed:
    try:
        return from_json_value(value, ClientFrame())
    except JsonInvalidError as error:
        return Malformed(_request_id(value), str(error))


def _request_id(value: object) -> int:
    raw = value.get("request_id", value.get("requestId")) if isinstance(value, dict) else None
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= 20:
        raw = int(raw)
    return raw if isinstance(raw, int) and 0 <= raw < 1 << 64 else 0
