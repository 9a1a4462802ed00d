"""Large memberships."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_proto.repo.v1.conversation_pb2 import LargeMember
from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_WORLD,
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
    MEMBER_STATE_LEFT,
)
from im_repo.conversations.list_large import list_large


def test_only_open_large_conversations_the_user_is_in_are_listed(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, fanout=2, member_version=9)
    seed.conversation(2, 7)
    seed.conversation(3, 8, fanout=2)
    seed.conversation(4, 7, fanout=2)
    seed.member(4, 7, (1, 3), state=MEMBER_STATE_LEFT)
    seed.conversation(5, 7, fanout=2, status=2)
    seed.conversation(6, 7, fanout=2, kind=CONVERSATION_KIND_WORLD)
    assert list_large(connection, 7, world_id=0) == [LargeMember(conversation_id=1, from_seq=1, member_version=9)]


def test_the_open_window_is_told(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, fanout=2)
    seed.member(1, 7, (1, 3), (8, 0), state=MEMBER_STATE_IN)
    assert [member.from_seq for member in list_large(connection, 7, world_id=0)] == [8]


@pytest.mark.parametrize(("min_seq", "from_seq"), [(0, 1), (5, 5)])
def test_in_the_world_room_is_everybody_without_a_row(
    connection: Connection, seed: Any, min_seq: int, from_seq: int
) -> None:
    seed.conversation(1, 7, fanout=2, member_version=9)
    seed.conversation(6, fanout=2, kind=CONVERSATION_KIND_WORLD, min_seq=min_seq, member_version=2)
    assert list_large(connection, 7, world_id=6) == [
        LargeMember(conversation_id=1, from_seq=1, member_version=9),
        LargeMember(conversation_id=6, from_seq=from_seq, member_version=2),
    ]


def test_a_row_of_the_world_room_decides(connection: Connection, seed: Any) -> None:
    seed.conversation(6, 7, fanout=2, kind=CONVERSATION_KIND_WORLD, member_version=2)
    seed.member(6, 8, (1, 9), state=MEMBER_STATE_BANNED)
    assert list_large(connection, 7, world_id=6) == [LargeMember(conversation_id=6, from_seq=1, member_version=2)]
    assert list_large(connection, 8, world_id=6) == []
    assert len(list_large(connection, 9, world_id=6)) == 1
