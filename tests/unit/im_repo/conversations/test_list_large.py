"""Large memberships."""

from typing import Any

from sqlalchemy import Connection

from im_proto.repo.v1.conversation_pb2 import LargeMember
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_STATE_IN, MEMBER_STATE_LEFT
from im_repo.conversations.list_large import list_large


def test_only_open_large_conversations_the_user_is_in_are_listed(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, fanout=2, member_version=9)
    seed.conversation(2, 7)
    seed.conversation(3, 8, fanout=2)
    seed.conversation(4, 7, fanout=2)
    seed.member(4, 7, (1, 3), state=MEMBER_STATE_LEFT)
    seed.conversation(5, 7, fanout=2, status=2)
    seed.conversation(6, 7, fanout=2, kind=CONVERSATION_KIND_WORLD)
    assert list_large(connection, 7) == [LargeMember(conversation_id=1, from_seq=1, member_version=9)]


def test_the_open_window_is_told(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, fanout=2)
    seed.member(1, 7, (1, 3), (8, 0), state=MEMBER_STATE_IN)
    assert [member.from_seq for member in list_large(connection, 7)] == [8]
