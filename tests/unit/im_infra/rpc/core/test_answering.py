import pytest

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.answering import Answering, Asked
from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError

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


def failures(frame: Frame) -> list[Failure]:
    return [result for _, result in frame.answers if isinstance(result, Failure)]


def start(made: Answering, *numbers: int, timeout_ms: int = 1_000, now: float = 0.0) -> list[Asked]:
    return made.start(numbers[0], [(timeout_ms, b"%d" % number) for number in numbers], now)


def test_requests_start_in_order_with_the_callers_deadline(answering: Answering) -> None:
    started = start(answering, 1, 2, now=10.0)
    assert [tuple(asked) for asked in started] == [(1, 11.0, b"1"), (2, 11.0, b"2")]


def test_credit_goes_out_with_the_answers(answering: Answering) -> None:
    start(answering, 1, 2)
    assert not answering.sendable
    answering.answer(2, b"B")
    frame = filled(answering)
    assert frame.answers == [(2, b"B")]
    assert frame.credit == 1


def test_requests_without_credit_are_a_violation(answering: Answering) -> None:
    with pytest.raises(ProtocolViolationError, match="credit"):
        start(answering, 1, 2, 3, 4, 5)


def test_answers_that_are_not_written_give_no_credit_back(answering: Answering) -> None:
    start(answering, 1, 2, 3, 4)
    answering.answer(1, b"")
    with pytest.raises(ProtocolViolationError, match="credit"):
        start(answering, 5)


@pytest.mark.parametrize("number", [1, 3])
def test_a_number_that_was_used_or_left_out_is_a_violation(answering: Answering, number: int) -> None:
    start(answering, 1)
    with pytest.raises(ProtocolViolationError, match=f"request {number} where 2 follows"):
        start(answering, number)


def test_the_first_answer_counts(answering: Answering) -> None:
    start(answering, 1)
    assert answering.answer(1, b"first")
    assert not answering.answer(1, b"second")
    assert filled(answering).answers == [(1, b"first")]
    assert answering.idle


def test_an_error_becomes_a_failure(answering: Answering) -> None:
    start(answering, 1)
    answering.answer(1, b"", ImError(error_table.MUTED, "hush"))
    [failure] = failures(filled(answering))
    assert (failure.number, failure.message) == (error_table.MUTED.number, "hush")


def test_an_empty_answer_is_a_body(answering: Answering) -> None:
    start(answering, 1)
    answering.answer(1, b"")
    assert filled(answering).answers == [(1, b"")]


def test_an_answer_that_cannot_be_sent_is_internal(answering: Answering) -> None:
    start(answering, 1)
    answering.answer(1, bytes(201))
    [failure] = failures(filled(answering))
    assert failure.number == error_table.INTERNAL.number


def test_a_refused_request_is_answered_not_started(answering: Answering) -> None:
    answering.refuse(1, [(1_000, b"")], now=0.0)
    [failure] = failures(filled(answering))
    assert failure.not_started
    assert failure.number == NotStartedError().reason.number


def test_a_request_past_its_deadline_is_answered_and_gives_its_credit_back(answering: Answering) -> None:
    start(answering, 1, timeout_ms=100)
    start(answering, 2, timeout_ms=900)
    answering.tick(0.05)
    assert answering.open == 2
    answering.tick(0.1)
    assert answering.presses
    frame = filled(answering)
    assert [failure.number for failure in failures(frame)] == [error_table.DEADLINE_EXCEEDED.number]
    assert frame.credit == 1
    assert not answering.answer(1, b"late")
    assert not answering.idle


def test_an_answer_that_nobody_waits_for_goes_with_another_or_at_a_tick(answering: Answering) -> None:
    start(answering, 1, 2, 3)
    filled(answering)
    answering.answer(1, b"", along=True)
    assert (answering.sendable, answering.presses, answering.idle) == (True, False, False)
    answering.answer(2, b"now")
    assert answering.presses
    frame = filled(answering)
    assert ([number for number, _ in frame.answers], frame.credit) == ([1, 2], 2)
    answering.answer(3, b"", along=True)
    assert not answering.presses
    answering.tick(0.05)
    assert answering.presses
    assert [number for number, _ in filled(answering).answers] == [3]
    answering.tick(0.1)
    assert not answering.presses, "nothing is there"


def test_many_answers_that_nobody_waits_for_press_together() -> None:
    """They hold back credit."""
    answering = Answering(window=1_000, max_body_bytes=200)
    answering.start(1, [(1_000, b"")] * 256, 0.0)
    filled(answering)
    for number in range(1, 257):
        assert not answering.presses
        answering.answer(number, b"", along=True)
    assert answering.presses


def test_answers_fill_a_frame_by_items_and_bytes(answering: Answering) -> None:
    start(answering, 1, 2, 3)
    for number, size in ((1, 60), (2, 150), (3, 1)):
        answering.answer(number, bytes(size))
    assert [[number for number, _ in filled(answering).answers] for _ in range(3)] == [[1], [2], [3]]
