"""Members and their cursors."""

from typing import Any

from sqlalchemy import Connection

from im_proto.repo.v1.conversation_pb2 import MemberCursor
from im_proto.v1.conversation_pb2 import MEMBER_STATE_REMOVED, Member
from im_repo.conversations.list_members import list_members, read_member_cursors


def test_those_who_are_in_are_listed_by_id_in_pages(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 5, 6, 7, 8)
    seed.member(1, 6, state=MEMBER_STATE_REMOVED)
    first = list_members(connection, 1, after_user_id=0, limit=2)
    assert first == [Member(user_id=5, role=1, state=1), Member(user_id=7, role=1, state=1)]
    assert [member.user_id for member in list_members(connection, 1, after_user_id=7, limit=2)] == [8]


def test_cursors_are_zero_for_who_never_read_and_absent_for_who_is_out(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 5, 6, 7)
    seed.cursor(5, 1, read_seq=3, received_seq=4)
    seed.cursor(7, 1, read_seq=2)
    seed.member(1, 7, state=MEMBER_STATE_REMOVED)
    assert read_member_cursors(connection, 1, limit=10) == [
        MemberCursor(user_id=5, read_seq=3, received_seq=4),
        MemberCursor(user_id=6),
    ]
    assert len(read_member_cursors(connection, 1, limit=1)) == 1
