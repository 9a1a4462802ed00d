"""Reading account events."""

from sqlalchemy import Connection

from im_proto.v1.sync_pb2 import AccountEvent, Joined
from im_repo.account_events.append import EVENTS_KEPT, append_events
from im_repo.account_events.read import AccountEvents, read_events


def append(connection: Connection, count: int) -> None:
    append_events(connection, {7: [AccountEvent(joined=Joined(conversation_id=1))] * count}, 1_000)


def test_a_user_without_events_has_pts_0(connection: Connection) -> None:
    assert read_events(connection, 7, after_pts=0) == AccountEvents(events=[], max_pts=0, reset=False)


def test_only_what_lies_after_the_pts_is_told(connection: Connection) -> None:
    append(connection, 5)
    answer = read_events(connection, 7, after_pts=3)
    assert [event.pts for event in answer.events] == [4, 5]
    assert (answer.max_pts, answer.reset) == (5, False)


def test_nothing_is_told_to_who_is_up_to_date(connection: Connection) -> None:
    append(connection, 5)
    assert read_events(connection, 7, after_pts=5) == AccountEvents(events=[], max_pts=5, reset=False)


def test_a_pts_from_the_future_resets(connection: Connection) -> None:
    append(connection, 5)
    assert read_events(connection, 7, after_pts=6) == AccountEvents(events=[], max_pts=5, reset=True)


def test_a_pts_whose_events_are_gone_resets(connection: Connection) -> None:
    for _ in range(3):
        append(connection, 1_000)
    gone = read_events(connection, 7, after_pts=3_000 - EVENTS_KEPT - 1)
    assert (gone.events, gone.reset) == ([], True)
    kept = read_events(connection, 7, after_pts=3_000 - EVENTS_KEPT)
    assert (len(kept.events), kept.reset) == (EVENTS_KEPT, False)
