import pytest

from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.core.wire_form import from_wire, to_wire
from im_infra.rpc.peer import Peer
from im_proto.rpc.v1 import frame_pb2

FULL = Frame(
    peer=Peer("logic-1", "a"),
    first_request=5,
    requests=[(8_000, b"r"), (1, b"")],
    answers=[(7, b"A"), (3, Failure(12, "no", 250, not_started=True, detail=b"d")), (4, b"")],
    first_push=9,
    pushes=[b"p", b""],
    acknowledged_push=8,
    credit=3,
    draining=True,
)


@pytest.mark.parametrize(
    "frame",
    [
        FULL,
        Frame(),
        Frame(first_request=1, requests=[(1, b"r")]),
        Frame(answers=[(1, b"")]),
        Frame(answers=[(1, Failure(1, "")), (2, Failure(2, ""))]),
        Frame(first_push=1, pushes=[b"p"]),
    ],
    ids=["full", "empty", "request", "answer", "failures", "push"],
)
def test_a_frame_comes_back_as_it_was(frame: Frame) -> None:
    assert from_wire(frame_pb2.Frame.FromString(to_wire(frame).SerializeToString())) == frame


@pytest.mark.parametrize(
    "said",
    [
        frame_pb2.Frame(requests=[b"r"], first_request=1),
        frame_pb2.Frame(requests=[b"r"], timeouts_ms=[1, 2]),
        frame_pb2.Frame(answers=[b"a"]),
        frame_pb2.Frame(answers=[b"a"], answered_requests=[1], failures=[frame_pb2.Failure(index=1)]),
    ],
    ids=["no timeout", "a timeout too many", "an answer to nothing", "a failure beyond the answers"],
)
def test_columns_that_do_not_fit_together_are_a_violation(said: frame_pb2.Frame) -> None:
    with pytest.raises(ProtocolViolationError):
        from_wire(said)
