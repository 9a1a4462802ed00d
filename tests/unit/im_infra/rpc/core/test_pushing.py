import pytest

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.pushing import Pushing
from im_infra.rpc.core.violation import ProtocolViolationError

ROOM = Limits(items=3, size=100)


@pytest.fixture
def pushing() -> Pushing:
    return Pushing(max_pushes=4, max_bytes=500)


def filled(made: Pushing, answers_written: int = 0) -> Frame:
    frame = Frame()
    made.fill(frame, ROOM, answers_written)
    return frame


def test_pushes_are_numbered_on_from_frame_to_frame(pushing: Pushing) -> None:
    for number in range(4):
        pushing.push(b"%d" % number, None, 0)
    first, second = filled(pushing), filled(pushing)
    assert (first.first_push, list(first.pushes)) == (1, [b"0", b"1", b"2"])
    assert (second.first_push, list(second.pushes)) == (4, [b"3"])


def test_an_acknowledgement_is_cumulative_and_tells_in_order(pushing: Pushing) -> None:
    told: list[int] = []
    for number in (1, 2, 3):
        pushing.push(b"", lambda number=number: told.append(number), 0)
    filled(pushing)
    for on_acknowledged in pushing.acknowledge(2):
        on_acknowledged()
    assert told == [1, 2]
    assert not pushing.idle
    assert len(pushing.acknowledge(3)) == 1
    assert pushing.idle


@pytest.mark.parametrize("number", [1, 3])
def test_an_acknowledgement_that_goes_back_or_ahead_is_a_violation(pushing: Pushing, number: int) -> None:
    for _ in range(2):
        pushing.push(b"", None, 0)
    filled(pushing)
    pushing.acknowledge(2)
    with pytest.raises(ProtocolViolationError, match=f"push {number} acknowledged"):
        pushing.acknowledge(number)


def test_the_queue_is_bounded_in_number_until_acknowledged(pushing: Pushing) -> None:
    assert [pushing.push(b"", None, 0) for _ in range(5)] == [True] * 4 + [False]
    filled(pushing)
    assert not pushing.push(b"", None, 0)
    pushing.acknowledge(1)
    assert pushing.push(b"", None, 0)


def test_the_queue_is_bounded_in_bytes_until_acknowledged(pushing: Pushing) -> None:
    assert pushing.push(bytes(300), None, 0)
    assert not pushing.push(bytes(201), None, 0)
    filled(pushing)
    pushing.acknowledge(1)
    assert pushing.push(bytes(201), None, 0)


def test_a_push_waits_for_the_answers_given_before_it(pushing: Pushing) -> None:
    pushing.push(b"", None, 2)
    assert not filled(pushing, answers_written=1).pushes
    assert filled(pushing, answers_written=2).pushes


def test_a_body_larger_than_the_room_goes_alone(pushing: Pushing) -> None:
    pushing.push(b"small", None, 0)
    pushing.push(bytes(101), None, 0)
    assert len(filled(pushing).pushes) == 1
    beside_an_answer = Frame(answers=[(1, b"")])
    pushing.fill(beside_an_answer, ROOM, 0)
    assert not beside_an_answer.pushes
    assert len(filled(pushing).pushes) == 1
