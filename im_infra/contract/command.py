"""A client's frame on its way from a gateway to logic: an `im.logic.v1.LogicRequest`, put together and taken apart as bytes.

The caller's part is the same in every command of a connection. The gateway makes it once and puts it in front; logic
knows it again by its bytes. Rules only.
"""

from typing import Final

from im_infra.contract.wire import delimited, varint
from im_proto.logic.v1.stream_pb2 import Caller, LogicRequest

_CALLER: Final = LogicRequest.CALLER_FIELD_NUMBER
_CALLER_TAG: Final = _CALLER << 3 | 2
_TRACE: Final = LogicRequest.TRACE_FIELD_NUMBER
_FRAME_TAG: Final = LogicRequest.FRAME_FIELD_NUMBER << 3 | 2


def command_head(caller: Caller) -> bytes:
    """What stands before the frame in every command of `caller`."""
    return delimited(_CALLER, caller.SerializeToString()) + bytes((_FRAME_TAG,))


def command_body(head: bytes, frame: bytes) -> bytes:
    """A serialised LogicRequest.

    Args:
        head: of the caller, from `command_head`.
        frame: a serialised ClientFrame.
    """
    return head + varint(len(frame)) + frame


def traced(body: bytes, trace: bytes) -> bytes:
    """The body of a sampled command: `split_command` leaves it to be parsed.

    Args:
        body: from `command_body`.
        trace: the context of the asker's span.
    """
    return body + delimited(_TRACE, trace)


def split_command(body: bytes) -> tuple[bytes, bytes] | None:
    """The head and the frame of a body from `command_body`; None for any other request."""
    try:
        if body[0] != _CALLER_TAG:
            return None
        size, start = _length(body, 1)
        end = start + size
        if body[end] != _FRAME_TAG:
            return None
        size, start = _length(body, end + 1)
    except IndexError:
        return None
    return (body[: end + 1], body[start:]) if start + size == len(body) else None


def caller_of(head: bytes) -> Caller:
    """The caller whose head it is."""
    return LogicRequest.FromString(head + b"\0").caller


def _length(body: bytes, at: int) -> tuple[int, int]:
    """A length, and where its content starts; raises IndexError where the body ends before it."""
    size = body[at]
    at += 1
    if size < 0x80:
        return size, at
    size &= 0x7F
    shift = 7
    while True:
        byte = body[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at
        shift += 7
