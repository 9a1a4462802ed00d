from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core.asking import Asking
from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.limits import Limits

ROOM = Limits(items=4, size=100)


def nobody(_body: bytes | None, _error: ImError | None) -> None:
    raise AssertionError("the core calls nobody back")


def asking(*, credit: int = 0) -> Asking:
    made = Asking(max_waiting=2, max_waiting_bytes=1_000)
    made.grant(credit)
    return made


def filled(made: Asking, now: float = 0.0) -> Frame:
    frame = Frame()
    made.fill(frame, ROOM, now)
    return frame


def test_requests_are_numbered_from_one_when_written() -> None:
    made = asking(credit=3)
    for body in (b"a", b"b"):
        made.ask(body, nobody, 5.0)
    first = filled(made)
    made.ask(b"c", nobody, 5.0)
    second = filled(made)
    assert [(frame.first_request, [body for _, body in frame.requests]) for frame in (first, second)] == [
        (1, [b"a", b"b"]),
        (3, [b"c"]),
    ]


def test_the_time_left_travels_in_milliseconds_and_never_as_none() -> None:
    made = asking(credit=2)
    made.ask(b"", nobody, 5.0)
    made.ask(b"", nobody, 1.0)
    assert [timeout_ms for timeout_ms, _ in filled(made, now=1.5).requests] == [3_500, 1]


def test_without_credit_nothing_is_written() -> None:
    made = asking()
    made.ask(b"a", nobody, 5.0)
    assert not made.sendable
    assert not filled(made).requests
    made.grant(1)
    assert made.sendable


def test_a_frame_takes_its_limit_of_items() -> None:
    made = asking(credit=9)
    for _ in range(6):
        made.ask(b"a", nobody, 5.0)
    assert len(filled(made).requests) == 4
    assert len(filled(made).requests) == 2


def test_a_frame_takes_its_limit_of_bytes_and_a_larger_body_goes_alone() -> None:
    made = asking(credit=9)
    for size in (60, 40, 1, 500, 1):
        made.ask(bytes(size), nobody, 5.0)
    sizes = [[len(body) for _, body in filled(made).requests] for _ in range(4)]
    assert sizes == [[60, 40], [1], [500], [1]]


def test_requests_beyond_the_credit_are_bounded_in_number() -> None:
    made = asking(credit=1)
    assert [made.ask(b"", nobody, 5.0) for _ in range(4)] == [True, True, True, False]
    filled(made)
    assert made.unanswered == 3


def test_requests_beyond_the_credit_are_bounded_in_bytes() -> None:
    made = asking()
    assert made.ask(bytes(1_000), nobody, 5.0)
    assert not made.ask(b"", nobody, 5.0)
    made.grant(1)
    filled(made)
    assert made.ask(b"", nobody, 5.0)


def test_answers_find_their_requests_in_any_order() -> None:
    made = asking(credit=2)
    first, second = (lambda *_: None), (lambda *_: None)
    made.ask(b"a", first, 5.0)
    made.ask(b"b", second, 5.0)
    filled(made)
    answers = [(2, b"B"), (1, b"")]
    assert made.answered(answers) == [(second, b"B", None), (first, b"", None)]
    assert made.answered(answers) == []


def test_a_failure_becomes_an_error() -> None:
    made = asking(credit=1)
    made.ask(b"a", nobody, 5.0)
    filled(made)
    [(_, body, error)] = made.answered([(1, Failure(error_table.MUTED.number, "hush"))])
    assert body is None
    assert error is not None
    assert error.reason is error_table.MUTED


def test_what_is_past_its_deadline_comes_out_written_or_not() -> None:
    made = asking(credit=1)
    for deadline in (1.0, 2.0, 9.0):
        made.ask(b"", nobody, deadline)
    filled(made)
    assert made.expire(0.9) == []
    expired = [error for _, _, error in made.expire(3.0) if error]
    assert [error.reason for error in expired] == [error_table.DEADLINE_EXCEEDED] * 2
    assert made.answered([(1, b"late")]) == []
    assert made.unanswered == 1
    assert len(made.expire(9.0)) == 1


def test_a_loss_tells_the_written_from_the_unwritten() -> None:
    made = asking(credit=1)
    made.ask(b"written", nobody, 5.0)
    filled(made)
    made.ask(b"waiting", nobody, 5.0)
    [(_, _, written), (_, _, waiting)] = made.lose()
    assert written is not None
    assert written.reason is error_table.UNAVAILABLE
    assert isinstance(waiting, NotStartedError)
    assert made.lose() == []
