"""Large conversations a user is in: what a gateway must be interested in on their behalf."""

from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, exists, or_, select

from im_proto.repo.v1.conversation_pb2 import LargeMember
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, CONVERSATION_STATUS_OPEN, MEMBER_STATE_IN
from im_repo.conversations.make import FANOUT_LARGE
from im_repo.schema import CONVERSATION, MEMBER, MEMBER_WINDOW

# Made once: putting them together costs more than asking, and every Hello asks.
_USER: Final[BindParameter[int]] = bindparam("user_id")
_WORLD: Final[BindParameter[int]] = bindparam("world_id")
_WITH_ROWS: Final = (
    select(CONVERSATION.c.conversation_id, MEMBER_WINDOW.c.from_seq, CONVERSATION.c.member_version)
    .select_from(
        MEMBER.join(CONVERSATION, CONVERSATION.c.conversation_id == MEMBER.c.conversation_id).join(
            MEMBER_WINDOW,
            (MEMBER_WINDOW.c.conversation_id == MEMBER.c.conversation_id)
            & (MEMBER_WINDOW.c.user_id == MEMBER.c.user_id)
            & (MEMBER_WINDOW.c.to_seq == 0),
        )
    )
    .where(
        MEMBER.c.user_id == _USER,
        MEMBER.c.state == MEMBER_STATE_IN,
        CONVERSATION.c.fanout == FANOUT_LARGE,
        CONVERSATION.c.status == CONVERSATION_STATUS_OPEN,
        or_(CONVERSATION.c.kind != CONVERSATION_KIND_WORLD, CONVERSATION.c.conversation_id == _WORLD),
    )
    .order_by(CONVERSATION.c.conversation_id)
)
_WORLD_WITHOUT_ROW: Final = select(CONVERSATION.c.min_seq, CONVERSATION.c.member_version).where(
    CONVERSATION.c.conversation_id == _WORLD,
    ~exists().where(MEMBER.c.conversation_id == _WORLD, MEMBER.c.user_id == _USER),
)


def list_large(connection: Connection, user_id: int, *, world_id: int) -> list[LargeMember]:
    """The open large conversations the user is in, with their open windows.

    Args:
        connection: any transaction.
        user_id: whose.
        world_id: the world room, where everybody without a member row is in from its beginning; 0: there is none.
    """
    key = {"user_id": user_id, "world_id": world_id}
    found = [
        LargeMember(conversation_id=row.conversation_id, from_seq=row.from_seq, member_version=row.member_version)
        for row in connection.execute(_WITH_ROWS, key)
    ]
    if world_id:
        found += [
            LargeMember(conversation_id=world_id, from_seq=row.min_seq or 1, member_version=row.member_version)
            for row in connection.execute(_WORLD_WITHOUT_ROW, key)
        ]
    return found
