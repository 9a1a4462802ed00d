"""How users stand in conversations."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_WORLD,
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
    MEMBER_STATE_LEFT,
    MEMBER_STATE_REMOVED,
)
from im_repo.conversations.windows import Span
from im_repo.cursors.standings import Place, Standing, read_standings


def test_members_stand_with_their_windows_and_cursors(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8, max_seq=9, max_count=6)
    seed.cursor(7, 1, read_seq=3, read_count=2, received_seq=4, hide_seq=1, hide_count=1)
    seed.member(1, 8, (2, 4), (6, 0), state=MEMBER_STATE_IN)
    assert read_standings(connection, [Place(8, 1), Place(7, 1)]) == {
        Place(7, 1): Standing(6, [Span(1, 9)], 3, 2, 4, 1, 1, has_cursor=True),
        Place(8, 1): Standing(6, [Span(2, 4), Span(6, 9)]),
    }


def test_strangers_and_unknown_conversations_are_left_out(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7)
    seed.cursor(8, 1, read_seq=3)
    assert read_standings(connection, [Place(8, 1), Place(7, 2)]) == {}


@pytest.mark.parametrize("state", [MEMBER_STATE_LEFT, MEMBER_STATE_REMOVED, MEMBER_STATE_BANNED])
def test_former_members_are_left_out(connection: Connection, seed: Any, state: int) -> None:
    seed.conversation(1, 7, max_seq=9)
    seed.member(1, 7, (1, 5), state=state)
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD, max_seq=9)
    seed.member(9, 7, state=state)
    assert read_standings(connection, [Place(7, 1), Place(7, 9)]) == {}


def test_everybody_is_in_the_world_room_from_its_floor_on(connection: Connection, seed: Any) -> None:
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD, max_seq=9, min_seq=4)
    seed.member(9, 8, state=MEMBER_STATE_IN)
    standings = read_standings(connection, [Place(7, 9), Place(8, 9)])
    assert [standing.spans for standing in standings.values()] == [[Span(4, 9)], [Span(4, 9)]]
