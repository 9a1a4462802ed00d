import pytest

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.answering import Answering
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError
from im_proto.rpc.v1.frame_pb2 import Frame, Request

ROOM = Limits(items=4, size=100)


@pytest.fixture
def answering() -> Answering:
    made = Answering(window=4, max_body_bytes=200)
    assert filled(made).credit == 4
    return made


def filled(made: Answering) -> Frame:
    frame = Frame()
    made.fill(frame, ROOM)
    return frame


def requests(*numbers: int, timeout_ms: int = 1_000) -> list[Request]:
    return [Request(correlation_id=number, timeout_ms=timeout_ms, body=b"%d" % number) for number in numbers]


def test_requests_start_in_order_with_the_callers_deadline(answering: Answering) -> None:
    started = answering.start(requests(3, 1), now=10.0)
    assert [tuple(asked) for asked in started] == [(3, 11.0, b"3"), (1, 11.0, b"1")]


def test_credit_goes_out_with_the_answers(answering: Answering) -> None:
    answering.start(requests(1, 2), now=0.0)
    assert not answering.sendable
    answering.answer(2, b"B")
    frame = filled(answering)
    assert [(answer.correlation_id, answer.body) for answer in frame.answers] == [(2, b"B")]
    assert frame.credit == 1


def test_requests_without_credit_are_a_violation(answering: Answering) -> None:
    with pytest.raises(ProtocolViolationError, match="credit"):
        answering.start(requests(1, 2, 3, 4, 5), now=0.0)


def test_answers_that_are_not_written_give_no_credit_back(answering: Answering) -> None:
    answering.start(requests(1, 2, 3, 4), now=0.0)
    answering.answer(1, b"")
    with pytest.raises(ProtocolViolationError, match="credit"):
        answering.start(requests(5), now=0.0)


def test_an_open_correlation_id_is_not_used_twice(answering: Answering) -> None:
    with pytest.raises(ProtocolViolationError, match="request 1 is open"):
        answering.start(requests(1, 1), now=0.0)


def test_the_first_answer_counts(answering: Answering) -> None:
    answering.start(requests(1), now=0.0)
    assert answering.answer(1, b"first")
    assert not answering.answer(1, b"second")
    assert [answer.body for answer in filled(answering).answers] == [b"first"]
    assert answering.idle


def test_an_error_becomes_a_failure(answering: Answering) -> None:
    answering.start(requests(1), now=0.0)
    answering.answer(1, b"", ImError(error_table.MUTED, "hush"))
    [answer] = filled(answering).answers
    assert answer.WhichOneof("result") == "failure"
    assert (answer.failure.number, answer.failure.message) == (error_table.MUTED.number, "hush")


def test_an_empty_answer_is_a_body(answering: Answering) -> None:
    answering.start(requests(1), now=0.0)
    answering.answer(1, b"")
    [answer] = filled(answering).answers
    assert answer.WhichOneof("result") == "body"


def test_an_answer_that_cannot_be_sent_is_internal(answering: Answering) -> None:
    answering.start(requests(1), now=0.0)
    answering.answer(1, bytes(201))
    [answer] = filled(answering).answers
    assert answer.failure.number == error_table.INTERNAL.number


def test_a_refused_request_is_answered_not_started(answering: Answering) -> None:
    answering.refuse(requests(1), now=0.0)
    [answer] = filled(answering).answers
    assert answer.failure.not_started
    assert answer.failure.number == NotStartedError().reason.number


def test_a_request_past_its_deadline_is_answered_and_gives_its_credit_back(answering: Answering) -> None:
    answering.start(requests(1, timeout_ms=100), now=0.0)
    answering.start(requests(2, timeout_ms=900), now=0.0)
    assert not answering.expire(0.05)
    assert answering.expire(0.1)
    frame = filled(answering)
    assert [answer.failure.number for answer in frame.answers] == [error_table.DEADLINE_EXCEEDED.number]
    assert frame.credit == 1
    assert not answering.answer(1, b"late")
    assert not answering.idle


def test_answers_fill_a_frame_by_items_and_bytes(answering: Answering) -> None:
    answering.start(requests(1, 2, 3), now=0.0)
    for number, size in ((1, 60), (2, 150), (3, 1)):
        answering.answer(number, bytes(size))
    assert [[len(answer.body) for answer in filled(answering).answers] for _ in range(3)] == [[60], [150], [1]]
