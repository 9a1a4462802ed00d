import pytest

from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.server_end import ServerEnd
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings

GREETING = Frame(peer=Peer("logic-1", "a"))


@pytest.fixture
def end() -> ServerEnd:
    return ServerEnd(Peer("repo-1", "b"), StreamSettings(max_frame_items=4))


@pytest.fixture
def greeted(end: ServerEnd) -> ServerEnd:
    end.next_frame()
    end.receive(GREETING, 0.0)
    return end


def asking(*numbers: int) -> Frame:
    return Frame(first_request=numbers[0], requests=[(1_000, b"") for _ in numbers])


def refused(frame: Frame) -> bool:
    [(_, result)] = frame.answers
    return isinstance(result, Failure) and result.not_started


def test_it_greets_with_the_whole_window(end: ServerEnd) -> None:
    frame = end.next_frame()
    assert (frame.peer.node_id, frame.credit) == ("repo-1", 4_096)
    assert end.next_frame() is None


def test_it_learns_who_asks(greeted: ServerEnd) -> None:
    assert greeted.peer == Peer("logic-1", "a")


def test_answers_and_pushes_share_a_frame_half_and_half(greeted: ServerEnd) -> None:
    greeted.receive(asking(1, 2, 3, 4), 0.0)
    for _ in range(4):
        greeted.push(b"p", None)
    for number in (1, 2, 3, 4):
        greeted.answer(number, b"")
    first = greeted.next_frame()
    assert (len(first.answers), len(first.pushes)) == (2, 2)


def test_a_push_never_overtakes_an_answer_given_before_it(greeted: ServerEnd) -> None:
    greeted.receive(asking(1, 2, 3), 0.0)
    for number in (1, 2, 3):
        greeted.answer(number, b"")
    greeted.push(b"p", None)
    first, second = greeted.next_frame(), greeted.next_frame()
    assert (len(first.answers), len(first.pushes)) == (2, 0)
    assert (len(second.answers), len(second.pushes)) == (1, 1)


def test_draining_it_answers_new_requests_not_started(greeted: ServerEnd) -> None:
    greeted.drain()
    arrived = greeted.receive(asking(1), 0.0)
    assert arrived.requests == []
    frame = greeted.next_frame()
    assert frame.draining
    assert refused(frame)


def test_a_drain_ends_only_after_the_other_side_sends_no_more(greeted: ServerEnd) -> None:
    """A request may be under way to us while we believe to be idle; its sender would never know."""
    greeted.drain()
    greeted.next_frame()
    assert not greeted.finished
    greeted.receive(asking(1), 0.0)
    greeted.receive(Frame(draining=True), 0.0)
    assert not greeted.finished
    assert refused(greeted.next_frame())
    assert greeted.finished


def test_a_drain_waits_for_open_requests_and_acknowledgements(greeted: ServerEnd) -> None:
    greeted.receive(asking(1), 0.0)
    greeted.push(b"p", None)
    greeted.drain()
    greeted.next_frame()
    greeted.receive(Frame(draining=True), 0.0)
    assert not greeted.finished
    greeted.answer(1, b"")
    greeted.next_frame()
    assert not greeted.finished
    greeted.receive(Frame(acknowledged_push=1), 0.0)
    assert greeted.finished


def test_a_full_frame_says_that_more_waits(greeted: ServerEnd) -> None:
    greeted.receive(asking(1, 2, 3, 4, 5), 0.0)
    for number in range(1, 6):
        greeted.answer(number, b"a")
    greeted.push(b"p", None)
    frames = [greeted.next_frame() for _ in range(3)]
    assert [(frame.items, frame.leaves_some) for frame in frames] == [(2, True), (2, True), (2, False)]
    assert greeted.next_frame() is None
