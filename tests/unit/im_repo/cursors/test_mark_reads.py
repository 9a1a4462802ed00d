"""Moving read cursors."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select

from im_proto.repo.v1.stream_pb2 import CursorState
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_BANNED, MEMBER_STATE_IN
from im_proto.v1.message_pb2 import MESSAGE_TYPE_NOTICE
from im_repo.account_events.read import read_events
from im_repo.cursors.mark_reads import mark_reads
from im_repo.cursors.standings import Place
from im_repo.schema import CURSOR, MEMBER


def read_to(connection: Connection, user_id: int, conversation_id: int, seq: int, now: int = 50) -> CursorState:
    [state] = mark_reads(connection, {Place(user_id, conversation_id): seq}, now)
    return state


def test_a_move_tells_the_cursor_the_unread_and_the_other_devices(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for _ in range(5):
        seed.say(1, 8)
    assert read_to(connection, 7, 1, 3) == CursorState(
        user_id=7, conversation_id=1, read_seq=3, received_seq=3, moved=True, unread=2, pts=1, time=50, max_seq=5
    )
    [told] = read_events(connection, 7, after_pts=0).events
    assert (told.read_moved.conversation_id, told.read_moved.read_seq, told.time) == (1, 3, 50)


def test_a_cursor_never_goes_back_and_tells_nobody_of_it(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for _ in range(5):
        seed.say(1, 8)
    read_to(connection, 7, 1, 4)
    for seq in (4, 2, 0):
        state = read_to(connection, 7, 1, seq)
        assert (state.read_seq, state.moved, state.unread, state.pts) == (4, False, 1, 0)
    assert read_events(connection, 7, after_pts=0).max_pts == 1


def test_a_seq_beyond_the_head_is_clamped_to_it(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8)
    assert read_to(connection, 7, 1, 1_000).read_seq == 1
    seed.say(1, 8)
    assert read_to(connection, 7, 1, 2).moved


def test_a_seq_is_clamped_to_the_windows(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for _ in range(9):
        seed.say(1, 8)
    seed.member(1, 7, (2, 3), (7, 0), state=MEMBER_STATE_IN)
    assert not read_to(connection, 7, 1, 1).moved
    assert read_to(connection, 7, 1, 6).read_seq == 3
    assert read_to(connection, 7, 1, 8).read_seq == 8


def test_the_count_is_that_of_the_entry(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8)
    seed.say(1, 0, type=MESSAGE_TYPE_NOTICE)
    read_to(connection, 7, 1, 2)
    assert connection.scalar(select(CURSOR.c.read_count)) == 1
    seed.say(1, 8)
    assert read_to(connection, 7, 1, 2).unread == 1


def test_reading_never_makes_a_member(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7)
    seed.say(1, 7)
    assert mark_reads(connection, {Place(8, 1): 1, Place(8, 2): 1}, 50) == []
    assert connection.scalars(select(MEMBER.c.user_id)).all() == [7]
    assert connection.scalar(select(func.count()).select_from(CURSOR)) == 0


def test_the_world_room_is_read_without_a_row_but_not_by_the_banned(connection: Connection, seed: Any) -> None:
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD)
    for _ in range(3):
        seed.say(9, 6)
    seed.member(9, 8, state=MEMBER_STATE_BANNED)
    [state] = mark_reads(connection, {Place(7, 9): 2, Place(8, 9): 2}, 50)
    assert (state.user_id, state.read_seq, state.unread) == (7, 2, 1)
    assert connection.scalars(select(MEMBER.c.user_id)).all() == [8]


def test_many_users_move_at_once_in_the_order_asked(connection: Connection, seed: Any) -> None:
    users = list(range(20, 60))
    for conversation_id in (1, 2):
        seed.conversation(conversation_id, *users)
        for _ in range(3):
            seed.say(conversation_id, 5)
    moves = {
        Place(user_id, conversation_id): 1 + user_id % 3 for user_id in reversed(users) for conversation_id in (2, 1)
    }
    statements: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    states = mark_reads(connection, moves, 50)
    assert [Place(state.user_id, state.conversation_id) for state in states] == list(moves)
    assert all(state.read_seq == 1 + state.user_id % 3 and state.unread == 3 - state.read_seq for state in states)
    assert [state.pts for state in states if state.user_id == 20] == [1, 2]
    assert len(statements) < 15
    events = read_events(connection, 20, after_pts=0).events
    assert [event.read_moved.conversation_id for event in events] == [2, 1]


def test_two_devices_that_read_at_once_leave_the_greatest(engine: Engine, seed_in: Any) -> None:
    with engine.begin() as connection:
        seed = seed_in(connection)
        seed.conversation(1, 7, 8)
        for _ in range(30):
            seed.say(1, 8)

    def move(seq: int) -> CursorState:
        with engine.begin() as connection:
            return read_to(connection, 7, 1, seq)

    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(move, [*range(1, 31, 2), *range(30, 0, -2)]))
    moved = [state for state in states if state.moved]
    assert max(state.read_seq for state in states) == 30
    with engine.begin() as connection:
        assert connection.scalar(select(CURSOR.c.read_seq)) == 30
        events = read_events(connection, 7, after_pts=0).events
        assert [event.pts for event in events] == list(range(1, len(moved) + 1))
        seqs = [event.read_moved.read_seq for event in events]
        assert seqs == sorted(set(seqs))
