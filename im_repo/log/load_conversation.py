"""Load a conversation for a cache: its row, and the members that a small one is delivered to."""

from collections import defaultdict
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.sql.expressions import read_now_ms
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow, Window
from im_repo.log.entries import AnyRow
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.values import FANOUT_SMALL, KIND_DIRECT, KIND_WORLD, STATE_IN
from im_repo.schema import CONVERSATION, DIRECT, MEMBER, MEMBER_WINDOW

RECENTLY_LEFT_MS: Final = 30_000
"""Members who went so recently are told too: what was sent while they were in may still be on its way."""

# Made once: putting them together costs more than asking, and every conversation that comes into a cache asks.
_CONVERSATION: Final[BindParameter[int]] = bindparam("conversation_id")
_USER: Final[BindParameter[int]] = bindparam("user_id")
_LOG: Final = select(CONVERSATION).where(CONVERSATION.c.conversation_id == _CONVERSATION)
_PAIR: Final = select(DIRECT.c.low_user_id, DIRECT.c.high_user_id).where(DIRECT.c.conversation_id == _CONVERSATION)
_MEMBERS: Final = (
    select(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state, MEMBER.c.muted_until_time)
    .where(MEMBER.c.conversation_id == _CONVERSATION)
    .order_by(MEMBER.c.user_id)
)
_ONE_MEMBER: Final = _MEMBERS.where(MEMBER.c.user_id == _USER)
_EVERYBODY: Final = _MEMBERS.where(
    or_(MEMBER.c.user_id == _USER, MEMBER.c.state == STATE_IN, MEMBER.c.left_time > bindparam("left_after"))
)
_WINDOWS: Final = (
    select(MEMBER_WINDOW.c.user_id, MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq)
    .where(MEMBER_WINDOW.c.conversation_id == _CONVERSATION)
    .order_by(MEMBER_WINDOW.c.user_id, MEMBER_WINDOW.c.from_seq)
)
_WINDOWS_OF_ONE: Final = _WINDOWS.where(MEMBER_WINDOW.c.user_id == _USER)


def load_conversation(
    connection: Connection, conversation_id: int, *, user_id: int, bounds: FanoutBounds
) -> ConversationState:
    """The conversation as caches keep it.

    A small one comes with everybody who is in or went within the last 30 s, and so does a large one while both ways
    of fan-out run. Every one comes with the member row of `user_id`, if there is one.

    Raises:
        ImError: CONVERSATION_NOT_FOUND.
    """
    log = connection.execute(_LOG, {"conversation_id": conversation_id}).one_or_none()
    if log is None:
        raise ImError(error_table.CONVERSATION_NOT_FOUND)
    state = ConversationState(
        conversation_id=conversation_id,
        kind=log.kind,
        status=log.status,
        fanout=log.fanout,
        epoch=log.epoch,
        member_version=log.member_version,
        deny_version=log.deny_version,
        member_count=log.member_count,
        max_seq=log.max_seq,
        min_seq=log.min_seq,
        title=log.title,
        slow_mode_ms=log.slow_mode_ms,
    )
    if log.kind == KIND_DIRECT:
        state.low_user_id, state.high_user_id = connection.execute(_PAIR, {"conversation_id": conversation_id}).one()
    now = read_now_ms(connection)
    everybody = log.kind != KIND_WORLD and (
        log.fanout == FANOUT_SMALL or (log.fanout_time > 0 and now - log.fanout_time < bounds.both_ways_ms)
    )
    state.members.extend(_members(connection, conversation_id, user_id=user_id, everybody=everybody, now=now))
    return state


def _members(
    connection: Connection, conversation_id: int, *, user_id: int, everybody: bool, now: int
) -> list[MemberRow]:
    key = {"conversation_id": conversation_id, "user_id": user_id}
    if everybody:
        rows = connection.execute(_EVERYBODY, {**key, "left_after": now - RECENTLY_LEFT_MS}).all()
    elif user_id:
        rows = connection.execute(_ONE_MEMBER, key).all()
    else:
        return []
    windows: defaultdict[int, list[Window]] = defaultdict(list)
    for row in connection.execute(_WINDOWS if everybody else _WINDOWS_OF_ONE, key):
        windows[row.user_id].append(Window(from_seq=row.from_seq, to_seq=row.to_seq))
    return [_member(row, windows[row.user_id]) for row in rows]


def _member(row: AnyRow, windows: list[Window]) -> MemberRow:
    return MemberRow(
        user_id=row.user_id,
        role=row.role,
        state=row.state,
        muted_until_time=row.muted_until_time,
        windows=windows,
    )
