"""A frame on the wire and back."""

from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.peer import Peer
from im_proto.rpc.v1 import frame_pb2


def to_wire(frame: Frame) -> frame_pb2.Frame:
    """`frame` as its message."""
    said = frame_pb2.Frame()
    if frame.peer is not None:
        said.peer.node_id, said.peer.boot_id = frame.peer
    if frame.requests:
        said.first_request = frame.first_request
        said.timeouts_ms.extend([timeout_ms for timeout_ms, _ in frame.requests])
        said.requests.extend([body for _, body in frame.requests])
    if frame.answers:
        said.answered_requests.extend([number for number, _ in frame.answers])
        said.answers.extend([result if isinstance(result, bytes) else b"" for _, result in frame.answers])
        said.failures.extend(
            _failure(index, result) for index, (_, result) in enumerate(frame.answers) if isinstance(result, Failure)
        )
    if frame.pushes:
        said.first_push = frame.first_push
        said.pushes.extend(frame.pushes)
    if frame.acknowledged_push:
        said.acknowledged_push = frame.acknowledged_push
    if frame.credit:
        said.credit = frame.credit
    if frame.draining:
        said.draining = True
    return said


def from_wire(said: frame_pb2.Frame) -> Frame:
    """The frame that a message says.

    Raises:
        ProtocolViolationError: its columns do not fit together.
    """
    frame = Frame()
    if said.HasField("peer"):
        frame.peer = Peer(said.peer.node_id, said.peer.boot_id)
    try:
        if said.requests:
            frame.first_request = said.first_request
            frame.requests = list(zip(said.timeouts_ms, said.requests, strict=True))
        if said.answers:
            answers: list[tuple[int, bytes | Failure]] = list(zip(said.answered_requests, said.answers, strict=True))
            for failure in said.failures:
                answers[failure.index] = (answers[failure.index][0], _said_failure(failure))
            frame.answers = answers
    except (ValueError, IndexError) as error:
        raise ProtocolViolationError("the columns of a frame do not fit together") from error
    if said.pushes:
        frame.first_push = said.first_push
        frame.pushes = list(said.pushes)
    frame.acknowledged_push = said.acknowledged_push
    frame.credit = said.credit
    frame.draining = said.draining
    return frame


def _failure(index: int, failure: Failure) -> frame_pb2.Failure:
    return frame_pb2.Failure(
        index=index,
        number=failure.number,
        message=failure.message,
        retry_after_ms=failure.retry_after_ms,
        not_started=failure.not_started,
        detail=failure.detail,
    )


def _said_failure(said: frame_pb2.Failure) -> Failure:
    return Failure(said.number, said.message, said.retry_after_ms, said.not_started, said.detail)
