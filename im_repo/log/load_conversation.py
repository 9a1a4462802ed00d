"""Load a conversation for a cache: its row, and the members that a small one is delivered to."""

from collections import defaultdict
from typing import Final

from sqlalchemy import ColumnElement, Connection, or_, select

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


def load_conversation(
    connection: Connection, conversation_id: int, *, user_id: int, bounds: FanoutBounds
) -> ConversationState:
    """The conversation as caches keep it.

    A small one comes with everybody who is in or went within the last 30 s, and so does a large one while both ways
    of fan-out run. Every one comes with the member row of `user_id`, if there is one.

    Raises:
        ImError: CONVERSATION_NOT_FOUND.
    """
    log = connection.execute(
        select(CONVERSATION).where(CONVERSATION.c.conversation_id == conversation_id)
    ).one_or_none()
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
        pair = connection.execute(
            select(DIRECT.c.low_user_id, DIRECT.c.high_user_id).where(DIRECT.c.conversation_id == conversation_id)
        ).one()
        state.low_user_id, state.high_user_id = pair
    now = read_now_ms(connection)
    everybody = log.kind != KIND_WORLD and (
        log.fanout == FANOUT_SMALL or (log.fanout_time > 0 and now - log.fanout_time < bounds.both_ways_ms)
    )
    state.members.extend(_members(connection, conversation_id, user_id=user_id, everybody=everybody, now=now))
    return state


def _members(
    connection: Connection, conversation_id: int, *, user_id: int, everybody: bool, now: int
) -> list[MemberRow]:
    which: ColumnElement[bool] = MEMBER.c.user_id == user_id
    if everybody:
        which = or_(which, MEMBER.c.state == STATE_IN, MEMBER.c.left_time > now - RECENTLY_LEFT_MS)
    elif not user_id:
        return []
    of_this = MEMBER.c.conversation_id == conversation_id
    rows = connection.execute(
        select(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state, MEMBER.c.muted_until_time)
        .where(of_this, which)
        .order_by(MEMBER.c.user_id)
    ).all()
    windows = _windows(connection, conversation_id, user_id=0 if everybody else user_id)
    return [_member(row, windows[row.user_id]) for row in rows]


def _windows(connection: Connection, conversation_id: int, *, user_id: int) -> defaultdict[int, list[Window]]:
    of_this = MEMBER_WINDOW.c.conversation_id == conversation_id
    windows: defaultdict[int, list[Window]] = defaultdict(list)
    rows = connection.execute(
        select(MEMBER_WINDOW.c.user_id, MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq)
        .where(of_this & (MEMBER_WINDOW.c.user_id == user_id) if user_id else of_this)
        .order_by(MEMBER_WINDOW.c.user_id, MEMBER_WINDOW.c.from_seq)
    )
    for row in rows:
        windows[row.user_id].append(Window(from_seq=row.from_seq, to_seq=row.to_seq))
    return windows


def _member(row: AnyRow, windows: list[Window]) -> MemberRow:
    return MemberRow(
        user_id=row.user_id,
        role=row.role,
        state=row.state,
        muted_until_time=row.muted_until_time,
        windows=windows,
    )
