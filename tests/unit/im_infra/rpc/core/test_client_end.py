import pytest

from im_infra.errors import NotStartedError
from im_infra.rpc.core.client_end import ClientEnd
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings

GREETING = Frame(peer=Peer("repo-1", "b"), credit=2)


@pytest.fixture
def end() -> ClientEnd:
    return ClientEnd(Peer("logic-1", "a"), StreamSettings())


@pytest.fixture
def greeted(end: ClientEnd) -> ClientEnd:
    end.next_frame(0.0)
    end.receive(GREETING)
    return end


def nobody(*_: object) -> None:
    raise AssertionError("the core calls nobody back")


def test_it_greets_first_and_once(end: ClientEnd) -> None:
    frame = end.next_frame(0.0)
    assert frame.peer == Peer("logic-1", "a")
    assert end.next_frame(0.0) is None


def test_it_accepts_requests_once_the_peer_has_greeted(end: ClientEnd) -> None:
    assert not end.accepts
    end.receive(GREETING)
    assert end.accepts
    assert end.peer == Peer("repo-1", "b")


def test_requests_and_acknowledgements_share_a_frame(greeted: ClientEnd) -> None:
    received = greeted.receive(Frame(pushes=[b"p"], first_push=1))
    assert list(received.pushes) == [b"p"]
    assert not greeted.has_output
    greeted.took_effect(1)
    greeted.request(b"r", nobody, 5.0)
    frame = greeted.next_frame(0.0)
    assert frame.acknowledged_push == 1
    assert [body for _, body in frame.requests] == [b"r"]
    assert not greeted.has_output


def test_told_of_a_drain_it_gives_back_what_waits_and_says_so(greeted: ClientEnd) -> None:
    for _ in range(3):
        greeted.request(b"r", nobody, 5.0)
    assert len(greeted.next_frame(0.0).requests) == 2
    [(_, _, error)] = greeted.receive(Frame(draining=True)).answers
    assert isinstance(error, NotStartedError)
    assert not greeted.accepts
    assert greeted.next_frame(0.0).draining
    assert greeted.next_frame(0.0) is None


def test_missing_pushes_are_a_violation(greeted: ClientEnd) -> None:
    with pytest.raises(ProtocolViolationError):
        greeted.receive(Frame(pushes=[b"p"], first_push=2))


def test_an_acknowledgement_alone_waits_for_the_tick(greeted: ClientEnd) -> None:
    greeted.receive(Frame(pushes=[b"p"], first_push=1))
    greeted.took_effect(1)
    assert greeted.next_frame(0.0) is None
    assert greeted.tick(0.05) == []
    assert greeted.has_output
    assert greeted.next_frame(0.05).acknowledged_push == 1


def test_while_the_other_side_drains_an_acknowledgement_goes_at_once(greeted: ClientEnd) -> None:
    greeted.receive(Frame(draining=True, pushes=[b"p"], first_push=1))
    assert greeted.next_frame(0.0).draining
    greeted.took_effect(1)
    assert greeted.next_frame(0.0).acknowledged_push == 1


def test_a_full_frame_says_that_more_waits_unless_that_waits_for_credit() -> None:
    end = ClientEnd(Peer("logic-1", "a"), StreamSettings(max_frame_items=2))
    end.next_frame(0.0)
    end.receive(Frame(peer=Peer("repo-1", "b"), credit=3))
    for _ in range(5):
        end.request(b"r", nobody, 5.0)
    frames = [end.next_frame(0.0) for _ in range(2)]
    assert [(frame.items, frame.leaves_some) for frame in frames] == [(2, True), (1, False)]
    assert end.next_frame(0.0) is None
