"""Pages of a sync, by hand."""

from typing import Any

from im_proto.v1 import conversation_pb2, sync_pb2
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import from_table
from im_sdk._sync import Sync, SyncPoint


class Desk:
    """A sync whose questions wait here."""

    def __init__(self, point: SyncPoint | None = None) -> None:
        self.asked: list[tuple[sync_pb2.SyncRequest, Any]] = []
        self.told: list[Any] = []
        self.sync = Sync(
            point or SyncPoint(5, 1_000, 1),
            ask=lambda _operation, request, done, _now: self.asked.append((request, done)),
            open_conversations=lambda: [(7, 3, 1)],
            on_event=lambda event, _now: self.told.append(("event", event.pts)),
            on_push=lambda event, _now: self.told.append(("push", event.pts)),
            on_head=lambda head, start, _now: self.told.append(("head", head.conversation.conversation_id, start)),
            on_reset=lambda seen: self.told.append(("reset", seen)),
            on_finished=lambda _now: self.told.append("finished"),
        )


def page(
    *heads: int, events: tuple[int, ...] = (), pts: int = 5, token: str = "", **fields: Any
) -> sync_pb2.SyncResponse:
    return sync_pb2.SyncResponse(
        pts=pts,
        events=[sync_pb2.AccountEvent(pts=each) for each in events],
        heads=[conversation_pb2.Head(conversation=conversation_pb2.Conversation(conversation_id=key)) for key in heads],
        since=sync_pb2.Since(time=2_000, clock_generation=1),
        next_page_token=token,
        **fields,
    )


def test_events_first_then_heads_then_the_point_moves() -> None:
    desk = Desk()
    request = desk.sync.begin()
    assert (request.pts, request.since.time, request.open[0].conversation_id) == (5, 1_000, 7)
    desk.sync.take_page(page(1, events=(6, 7), pts=7, token="p2"), 0)
    assert desk.sync.point.since_time == 1_000
    request, done = desk.asked.pop()
    assert (request.page_token, request.since.time) == ("p2", 1_000)
    later = page(2, pts=9)
    later.since.time = 9_999
    done(later, None, 0.0)
    assert desk.told == [("event", 6), ("event", 7), ("head", 1, False), ("head", 2, False), "finished"]
    assert desk.sync.point == SyncPoint(7, 2_000, 1)
    assert desk.sync.done


def test_the_first_sync_is_the_whole_truth() -> None:
    desk = Desk(SyncPoint())
    assert not desk.sync.begin().HasField("since")
    desk.sync.take_page(page(1, events=(1, 2), pts=2), 0)
    assert desk.told == [("head", 1, True), ("reset", {1}), "finished"]
    assert desk.sync.point.pts == 2


def test_a_reset_names_what_exists() -> None:
    desk = Desk()
    desk.sync.begin()
    desk.sync.take_page(page(1, pts=2, reset=True), 0)
    desk.sync.note(3)
    assert ("reset", {1}) in desk.told
    assert desk.sync.point.pts == 2


def test_pushed_events_follow_the_pts_rule() -> None:
    desk = Desk()
    desk.sync.take_event(sync_pb2.AccountEvent(pts=6), 0)
    desk.sync.take_event(sync_pb2.AccountEvent(pts=6), 0)
    assert desk.told == [("push", 6)]
    desk.sync.take_event(sync_pb2.AccountEvent(pts=9), 0)
    assert [request.pts for request, _ in desk.asked] == [6]


def test_a_sync_asked_for_while_one_runs_follows_it() -> None:
    desk = Desk()
    desk.sync.light(0)
    desk.sync.light(0)
    assert len(desk.asked) == 1
    desk.asked.pop()[1](page(), None, 0.0)
    assert len(desk.asked) == 1


def test_a_failed_sync_is_tried_again() -> None:
    desk = Desk()
    desk.sync.light(0)
    busy = from_table(ErrorNumber.OVERLOADED, "busy")
    busy.retry_after_ms = 9_000
    desk.asked.pop()[1](None, busy, 0.0)
    assert desk.sync.retry_at == 9
    assert not desk.sync.running


def test_a_cut_sync_keeps_its_point() -> None:
    desk = Desk()
    desk.sync.begin()
    desk.sync.take_page(page(1, token="p2"), 0)
    desk.sync.connection_lost()
    assert desk.sync.point == SyncPoint(5, 1_000, 1)
    assert not desk.sync.done
