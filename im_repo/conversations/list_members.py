"""Who is in a conversation, and how far they have read."""

from sqlalchemy import Connection, func, select

from im_proto.repo.v1.conversation_pb2 import MemberCursor
from im_proto.v1.conversation_pb2 import MEMBER_STATE_IN, Member
from im_repo.schema import CURSOR, MEMBER


def list_members(connection: Connection, conversation_id: int, *, after_user_id: int, limit: int) -> list[Member]:
    """A page of those who are in, by user id, after `after_user_id`."""
    rows = connection.execute(
        select(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state, MEMBER.c.muted_until_time)
        .where(
            MEMBER.c.conversation_id == conversation_id,
            MEMBER.c.user_id > after_user_id,
            MEMBER.c.state == MEMBER_STATE_IN,
        )
        .order_by(MEMBER.c.user_id)
        .limit(limit)
    )
    return [
        Member(user_id=row.user_id, role=row.role, state=row.state, muted_until_time=row.muted_until_time)
        for row in rows
    ]


def read_member_cursors(connection: Connection, conversation_id: int, *, limit: int) -> list[MemberCursor]:
    """The cursors of those who are in, by user id; zeros for who never read."""
    joined = MEMBER.outerjoin(
        CURSOR, (CURSOR.c.user_id == MEMBER.c.user_id) & (CURSOR.c.conversation_id == MEMBER.c.conversation_id)
    )
    rows = connection.execute(
        select(
            MEMBER.c.user_id,
            func.coalesce(CURSOR.c.read_seq, 0).label("read_seq"),
            func.coalesce(CURSOR.c.received_seq, 0).label("received_seq"),
        )
        .select_from(joined)
        .where(MEMBER.c.conversation_id == conversation_id, MEMBER.c.state == MEMBER_STATE_IN)
        .order_by(MEMBER.c.user_id)
        .limit(limit)
    )
    return [MemberCursor(user_id=row.user_id, read_seq=row.read_seq, received_seq=row.received_seq) for row in rows]
