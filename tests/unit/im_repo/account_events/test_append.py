"""Appending account events."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, func, select

from im_proto.v1.sync_pb2 import AccountEvent, Joined, ReadMoved
from im_repo.account_events import append
from im_repo.account_events.append import append_events
from im_repo.schema import USER_EVENT


def joined(conversation_id: int) -> AccountEvent:
    return AccountEvent(joined=Joined(conversation_id=conversation_id))


def stored(connection: Connection, user_id: int) -> list[AccountEvent]:
    bodies = connection.scalars(
        select(USER_EVENT.c.body).where(USER_EVENT.c.user_id == user_id).order_by(USER_EVENT.c.pts)
    )
    return [AccountEvent.FromString(body) for body in bodies]


def test_first_event_of_a_user_gets_pts_1(connection: Connection) -> None:
    assert append_events(connection, {7: [joined(1)]}, 1_000) == {7: 1}
    assert stored(connection, 7) == [AccountEvent(pts=1, time=1_000, joined=Joined(conversation_id=1))]


def test_pts_go_on_densely_per_user(connection: Connection) -> None:
    append_events(connection, {7: [joined(1), joined(2)], 3: [joined(1)]}, 1_000)
    assert append_events(connection, {3: [joined(4)], 7: [joined(3), joined(4), joined(5)]}, 2_000) == {3: 2, 7: 5}
    assert [event.pts for event in stored(connection, 7)] == [1, 2, 3, 4, 5]
    assert [event.joined.conversation_id for event in stored(connection, 7)] == [1, 2, 3, 4, 5]


def test_users_without_events_are_left_out(connection: Connection) -> None:
    assert append_events(connection, {}, 1_000) == {}
    assert append_events(connection, {7: [], 8: [joined(1)]}, 1_000) == {8: 1}


def test_the_callers_messages_stay_as_they_are(connection: Connection) -> None:
    event = AccountEvent(read_moved=ReadMoved(conversation_id=1, read_seq=2))
    append_events(connection, {7: [event], 8: [event]}, 1_000)
    assert event == AccountEvent(read_moved=ReadMoved(conversation_id=1, read_seq=2))


def test_old_events_go_and_pts_stay_dense(connection: Connection) -> None:
    for _ in range(25):
        last = append_events(connection, {7: [joined(1)] * 99}, 1_000)
    assert last == {7: 25 * 99}
    lowest, highest, rows = connection.execute(
        select(func.min(USER_EVENT.c.pts), func.max(USER_EVENT.c.pts), func.count()).where(USER_EVENT.c.user_id == 7)
    ).one()
    assert highest == 25 * 99
    assert rows == highest - lowest + 1
    assert append.EVENTS_KEPT <= rows <= append.EVENTS_KEPT + append.TRIM_EVERY


def test_two_writers_never_give_one_pts_twice(engine: Engine) -> None:
    def write(conversation_id: int) -> None:
        with engine.begin() as connection:
            append_events(connection, {7: [joined(conversation_id)], 8: [joined(conversation_id)]}, 1_000)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(1, 41)))
    with engine.begin() as connection:
        for user_id in (7, 8):
            events = stored(connection, user_id)
            assert [event.pts for event in events] == list(range(1, 41))
            assert sorted(event.joined.conversation_id for event in events) == list(range(1, 41))
