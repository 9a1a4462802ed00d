"""Moving received cursors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, func, select

from im_proto.repo.v1.stream_pb2 import CursorState
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN, MEMBER_STATE_LEFT
from im_repo.account_events.read import read_events
from im_repo.cursors.mark_received import mark_received
from im_repo.cursors.standings import Place
from im_repo.schema import CURSOR


def test_a_move_tells_the_cursor_and_no_device(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, max_seq=9)
    seed.cursor(7, 1, read_seq=2, received_seq=2)
    [state] = mark_received(connection, {Place(7, 1): 5}, 50)
    assert state == CursorState(user_id=7, conversation_id=1, read_seq=2, received_seq=5, moved=True, time=50)
    assert read_events(connection, 7, after_pts=0).max_pts == 0


def test_greatest_wins_within_windows_and_head(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, max_seq=9)
    seed.member(1, 7, (2, 3), (7, 0), state=MEMBER_STATE_IN)
    stood = []
    for seq in (6, 1, 50, 8):
        [state] = mark_received(connection, {Place(7, 1): seq}, 50)
        stood.append((state.received_seq, state.moved))
    assert stood == [(3, True), (3, False), (9, True), (9, False)]


def test_only_members_receive(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, max_seq=9)
    seed.member(1, 7, (1, 9), state=MEMBER_STATE_LEFT)
    assert mark_received(connection, {Place(7, 1): 5, Place(8, 1): 5}, 50) == []
    assert connection.scalar(select(func.count()).select_from(CURSOR)) == 0


@contextmanager
def noted_steps(connection: Connection) -> Iterator[list[str]]:
    """The statements that the driver runs meanwhile; SQLite's runs those of an executemany one by one."""
    steps: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        steps.append(statement)

    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.set_trace_callback(steps.append)
        yield steps
        driver.set_trace_callback(None)
    else:
        event.listen(connection, "before_cursor_execute", note)
        yield steps
        event.remove(connection, "before_cursor_execute", note)


def test_many_moves_are_as_many_steps_of_the_driver_as_few(connection: Connection, seed: Any) -> None:
    """SQLite's driver gives the interpreter away at each, and a busy loop takes half a millisecond before it is back."""
    for conversation_id in range(1, 41):
        seed.conversation(conversation_id, 7, max_seq=9)
    counts = []
    for seq, moved in ((3, 1), (5, 40)):
        with noted_steps(connection) as steps:
            states = mark_received(connection, {Place(7, number): seq for number in range(1, moved + 1)}, 50)
        assert [state.moved for state in states] == [True] * moved
        counts.append(len(steps))
    few, many = counts
    assert 0 < many == few
