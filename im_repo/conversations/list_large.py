"""Large conversations a user is in: what a gateway must be interested in on their behalf."""

from sqlalchemy import Connection, select

from im_proto.repo.v1.conversation_pb2 import LargeMember
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, CONVERSATION_STATUS_OPEN, MEMBER_STATE_IN
from im_repo.conversations.make import FANOUT_LARGE
from im_repo.schema import CONVERSATION, MEMBER, MEMBER_WINDOW


def list_large(connection: Connection, user_id: int) -> list[LargeMember]:
    """The open large conversations the user is in, with their open windows; without the world room, which needs none."""
    joined = MEMBER.join(CONVERSATION, CONVERSATION.c.conversation_id == MEMBER.c.conversation_id).join(
        MEMBER_WINDOW,
        (MEMBER_WINDOW.c.conversation_id == MEMBER.c.conversation_id)
        & (MEMBER_WINDOW.c.user_id == MEMBER.c.user_id)
        & (MEMBER_WINDOW.c.to_seq == 0),
    )
    rows = connection.execute(
        select(CONVERSATION.c.conversation_id, MEMBER_WINDOW.c.from_seq, CONVERSATION.c.member_version)
        .select_from(joined)
        .where(
            MEMBER.c.user_id == user_id,
            MEMBER.c.state == MEMBER_STATE_IN,
            CONVERSATION.c.fanout == FANOUT_LARGE,
            CONVERSATION.c.kind != CONVERSATION_KIND_WORLD,
            CONVERSATION.c.status == CONVERSATION_STATUS_OPEN,
        )
        .order_by(CONVERSATION.c.conversation_id)
    )
    return [
        LargeMember(conversation_id=row.conversation_id, from_seq=row.from_seq, member_version=row.member_version)
        for row in rows
    ]
