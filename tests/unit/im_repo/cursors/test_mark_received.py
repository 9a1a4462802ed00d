"""Moving received cursors."""

from typing import Any

from sqlalchemy import Connection, func, select

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
