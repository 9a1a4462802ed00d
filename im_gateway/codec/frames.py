"""Frames that the gateway makes itself."""

from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_proto.v1.error_pb2 import Error
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.read_pb2 import HeadMark, HeadPush
from im_proto.v1.session_pb2 import Check, GoAway, Kick, Lagged, PingResponse


def to_error(error: ImError) -> Error:
    """What a client is told."""
    reason = error.reason
    told = Error(
        number=reason.number,
        name=reason.name,
        message=error.message,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms,
    )
    if error.detail:
        told.stored.MergeFromString(error.detail)
    return told


def error_frame(error: ImError) -> bytes:
    """A request failed."""
    return ServerFrame(error=to_error(error)).SerializeToString()


def ping_frame(now_ms: int) -> bytes:
    """Answers a ping."""
    return ServerFrame(ping=PingResponse(server_time=now_ms)).SerializeToString()


def kick_frame(code: CloseCode, reason: str) -> bytes:
    """The connection ends for good."""
    return ServerFrame(kick=Kick(close_code=code, reason=reason)).SerializeToString()


def go_away_frame(after_ms: int) -> bytes:
    """This node stops."""
    return ServerFrame(go_away=GoAway(after_ms=after_ms)).SerializeToString()


def lagged_frame(dropped: int) -> bytes:
    """Pushes were dropped."""
    return ServerFrame(lagged=Lagged(dropped=dropped)).SerializeToString()


def check_frame(*, account: bool = False, conversation_ids: tuple[int, ...] = ()) -> bytes:
    """Pushes may have been lost."""
    return ServerFrame(check=Check(account=account, conversation_ids=conversation_ids)).SerializeToString()


def head_push_frame(heads: list[HeadMark]) -> bytes:
    """Large conversations moved."""
    return ServerFrame(head_push=HeadPush(heads=heads)).SerializeToString()
