"""Which logs are read when; on a puller alone, with the server's answers by hand."""

import random
from collections.abc import Sequence
from typing import Any

from im_proto.v1 import message_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import from_table
from im_sdk._gap import Lost, Track
from im_sdk._puller import Entry, Puller, Tracks
from im_sdk._settings import SessionSettings


class Desk:
    """A puller whose questions wait here for their answers."""

    def __init__(self, **settings: Any) -> None:
        self.tracks: Tracks = {}
        self.asked: list[tuple[Any, Any]] = []
        self.given: list[Any] = []
        self.forbidden: list[int] = []
        self.puller = Puller(
            self.tracks,
            ask=lambda _operation, request, done, _now: self.asked.append((request, done)),
            on_entries=self.take,
            on_epoch=lambda key, epoch, seq, _now: self.tracks[key].rewind(epoch=epoch, rewind_seq=seq) and None,
            on_forbidden=lambda conversation_id, _now: self.forbidden.append(conversation_id),
            settings=SessionSettings(**settings),
            source=random.Random(1),
        )
        self.puller.open = True

    def take(self, _key: int, ready: Sequence[Entry | Lost], skipped: bool, _now: float) -> None:
        self.given += [item if isinstance(item, Lost) else item.seq for item in ready]

    def track(self, key: int, *, seq: int, known: int) -> Track[Entry]:
        track = self.tracks[key] = Track(epoch=1, seq=seq)
        track.tell(known)
        return track

    def answer(self, *seqs: int, max_seq: int, more: bool = False, epoch: int = 1, rewind_seq: int = 0) -> None:
        request, done = self.asked.pop(0)
        answer = message_pb2.PullResponse(epoch=epoch, rewind_seq=rewind_seq, max_seq=max_seq, more=more)
        for seq in seqs:
            answer.messages.add(conversation_id=request.conversation_id, seq=seq)
        done(answer, None, 0.0)
        self.puller.run(0)


def ranges(desk: Desk) -> list[tuple[int, int]]:
    return [(request.from_seq, request.to_seq) for request, _ in desk.asked]


def test_pages_are_read_until_the_end() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=5)
    desk.puller.want(1)
    desk.puller.run(0)
    assert ranges(desk) == [(1, 5)]
    desk.answer(1, 2, max_seq=5, more=True)
    assert ranges(desk) == [(3, 5)]
    desk.answer(3, 4, 5, max_seq=5)
    assert desk.asked == []
    assert desk.given == [1, 2, 3, 4, 5]
    assert desk.puller.resting


def test_a_few_at_a_time() -> None:
    desk = Desk(pulls_at_once=2)
    for key in (1, 2, 3):
        desk.track(key, seq=0, known=1)
        desk.puller.want(key)
    desk.puller.run(0)
    assert len(desk.asked) == 2
    desk.answer(1, max_seq=1)
    assert len(desk.asked) == 2


def test_nothing_is_read_while_closed() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=1)
    desk.puller.open = False
    desk.puller.want(1)
    desk.puller.run(0)
    assert desk.asked == []


def test_a_held_push_waits_before_it_is_read() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=2)
    desk.puller.hold(1, 10)
    due = desk.puller.deadline()
    assert 10.4 <= due <= 11
    desk.puller.run(due - 0.01)
    assert desk.asked == []
    desk.puller.run(due)
    assert ranges(desk) == [(1, 2)]


def test_a_hold_that_was_filled_meanwhile_reads_nothing() -> None:
    desk = Desk()
    track = desk.track(1, seq=0, known=1)
    desk.puller.hold(1, 0)
    track.offer(1, message_pb2.Message(seq=1))
    desk.puller.run(5)
    assert desk.asked == []


def test_a_look_without_a_known_gap_asks_from_the_cursor_on() -> None:
    desk = Desk()
    desk.track(1, seq=7, known=7)
    desk.puller.want(1, even_if_level=True)
    desk.puller.run(0)
    assert ranges(desk) == [(8, 0)]
    desk.answer(8, 9, max_seq=9)
    assert desk.given == [8, 9]


def test_a_failed_read_is_tried_later() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=1)
    desk.puller.want(1)
    desk.puller.run(0)
    busy = from_table(ErrorNumber.RATE_LIMITED, "slow down")
    busy.retry_after_ms = 2_000
    desk.asked.pop()[1](None, busy, 0.0)
    assert desk.puller.deadline() >= 2
    desk.puller.run(desk.puller.deadline())
    assert len(desk.asked) == 1


def test_what_may_not_be_read_is_given_up() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=1)
    desk.puller.want(1)
    desk.puller.run(0)
    desk.asked.pop()[1](None, from_table(ErrorNumber.NOT_A_MEMBER, "no"), 0.0)
    assert desk.forbidden == [1]
    assert desk.puller.resting


def test_a_head_that_the_log_does_not_reach_is_not_asked_for_ever() -> None:
    """A reader who left is told the head of the moment; its own window ends below."""
    desk = Desk()
    track = desk.track(1, seq=0, known=9)
    desk.puller.want(1)
    desk.puller.run(0)
    desk.answer(1, 2, max_seq=2)
    assert desk.asked == []
    assert not track.behind


def test_an_answer_that_brings_nothing_is_not_repeated_at_once() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=9)
    desk.puller.want(1)
    desk.puller.run(0)
    desk.answer(max_seq=9, more=True)
    assert desk.asked == []
    assert desk.puller.deadline() > 0


def test_an_answer_to_a_cursor_that_moved_is_used_all_the_same() -> None:
    desk = Desk()
    track = desk.track(1, seq=0, known=3)
    desk.puller.want(1)
    desk.puller.run(0)
    track.offer(1, message_pb2.Message(seq=1))
    desk.answer(1, 2, 3, max_seq=3)
    assert desk.given == [2, 3]


def test_a_new_epoch_goes_back_and_reads_on() -> None:
    desk = Desk()
    track = desk.track(1, seq=5, known=6)
    desk.puller.want(1)
    desk.puller.run(0)
    desk.answer(max_seq=4, epoch=2, rewind_seq=3)
    assert (track.epoch, track.seq) == (2, 3)
    assert ranges(desk) == [(4, 4)]


def test_a_lost_connection_forgets_what_was_asked() -> None:
    desk = Desk()
    desk.track(1, seq=0, known=1)
    desk.puller.want(1)
    desk.puller.run(0)
    desk.puller.connection_lost()
    assert desk.puller.resting
    assert not desk.puller.open
