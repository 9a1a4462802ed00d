"""The rows behind a page of heads: which conversations, and where the user stands in them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    union_all,
)

from im_infra.sql.types import BIG_INT
from im_proto.v1.conversation_pb2 import CONVERSATION_KIND_WORLD, MEMBER_ROLE_MEMBER, MEMBER_STATE_IN
from im_repo.conversations.windows import Window, windows_in_sight
from im_repo.schema import CONVERSATION, CURSOR, DIRECT, MEMBER, MEMBER_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsQuery:
    """Which heads are wanted."""

    user_id: int
    conversation_ids: Sequence[int] = ()
    """These; empty: all."""
    since_time: int = 0
    """Only those that moved at or after; 0: all."""
    before: tuple[int, int] | None = None
    """Only those that come after this (last_time, conversation_id) in the list; None: from the newest."""
    world_conversation_id: int = 0
    """Include the world room although there is no member row; 0: do not."""
    limit: int = 100


class HeadRow(NamedTuple):
    """A conversation and where the user stands in it; the fields before `windows` are the statement's columns."""

    conversation_id: int
    kind: int
    status: int
    fanout: int
    epoch: int
    rewind_seq: int
    max_seq: int
    max_count: int
    min_seq: int
    member_count: int
    last_time: int
    active_time: int
    title: str
    role: int
    state: int
    low_user_id: int
    high_user_id: int
    read_seq: int
    read_count: int
    hide_seq: int
    hide_count: int
    peer_read_seq: int
    peer_received_seq: int
    windows: Sequence[Window] = ()


def read_head_rows(connection: Connection, query: HeadsQuery) -> list[HeadRow]:
    """At most `query.limit` conversations, newest first, in one statement.

    Conversations that the user has left are among them, though with `since_time` only if that was since; the world room
    only where it is asked for.
    """
    shape = _Shape(
        bool(query.conversation_ids),
        bool(query.since_time),
        query.before is not None,
        bool(query.world_conversation_id),
    )
    last_time, last_id = query.before or (0, 0)
    values = {
        "user_id": query.user_id,
        "conversation_ids": query.conversation_ids,
        "since_time": query.since_time,
        "before_time": last_time,
        "before_id": last_id,
        "world_conversation_id": query.world_conversation_id,
        "limit": query.limit,
    }
    rows: dict[int, HeadRow] = {}
    windows: dict[int, list[Window]] = defaultdict(list)
    for *columns, from_seq, to_seq in connection.execute(_statement(shape), values):
        row = HeadRow(*columns)
        rows[row.conversation_id] = row
        if from_seq is not None:
            windows[row.conversation_id].append(Window(from_seq, to_seq))
    newest = sorted(rows.values(), key=lambda row: (row.last_time, row.conversation_id), reverse=True)[: query.limit]
    return [
        row._replace(windows=windows_in_sight(tuple(windows[row.conversation_id]), kind=row.kind, state=row.state))
        for row in newest
    ]


class _Shape(NamedTuple):
    """Which conditions a statement has: each shape is built once, which costs more than running it."""

    these: bool
    since: bool
    before: bool
    world: bool


_USER_ID: Final = bindparam("user_id", type_=BIG_INT)


@cache
def _statement(shape: _Shape) -> Select[Any] | CompoundSelect[Any]:
    """A row for each window of each conversation, or one without; the world room beyond the limit."""
    members = _member_rows(shape)
    return union_all(members, _world_rows(shape)) if shape.world else members


def _member_rows(shape: _Shape) -> Select[Any]:
    return _page_rows(
        select(*_OF_CONVERSATION, MEMBER.c.role, MEMBER.c.state)
        .select_from(MEMBER.join(CONVERSATION, CONVERSATION.c.conversation_id == MEMBER.c.conversation_id))
        .where(MEMBER.c.user_id == _USER_ID, *_conditions(shape), *_while_in(shape))
    )


def _world_rows(shape: _Shape) -> Select[Any]:
    has_row = exists().where(MEMBER.c.conversation_id == CONVERSATION.c.conversation_id, MEMBER.c.user_id == _USER_ID)
    return _page_rows(
        select(
            *_OF_CONVERSATION, literal(MEMBER_ROLE_MEMBER).label("role"), literal(MEMBER_STATE_IN).label("state")
        ).where(
            CONVERSATION.c.conversation_id == bindparam("world_conversation_id", type_=BIG_INT),
            CONVERSATION.c.kind == CONVERSATION_KIND_WORLD,
            ~has_row,
            *_conditions(shape),
        )
    )


def _conditions(shape: _Shape) -> Iterator[ColumnElement[bool]]:
    if shape.these:
        yield CONVERSATION.c.conversation_id.in_(bindparam("conversation_ids", expanding=True))
    if shape.since:
        yield CONVERSATION.c.last_time >= bindparam("since_time", type_=BIG_INT)
    if shape.before:
        last_time, last_id = bindparam("before_time", type_=BIG_INT), bindparam("before_id", type_=BIG_INT)
        same = (CONVERSATION.c.last_time == last_time) & (CONVERSATION.c.conversation_id < last_id)
        yield (CONVERSATION.c.last_time < last_time) | same


def _while_in(shape: _Shape) -> Iterator[ColumnElement[bool]]:
    """For whoever is out a conversation moved last when they went: what the others do since is not theirs to know."""
    if shape.since:
        yield (MEMBER.c.state == MEMBER_STATE_IN) | (MEMBER.c.left_time >= bindparam("since_time", type_=BIG_INT))


def _page_rows(conversations: Select[Any]) -> Select[Any]:
    """Cut the page first, then look up the rest for its rows alone."""
    page = (
        conversations.order_by(CONVERSATION.c.last_time.desc(), CONVERSATION.c.conversation_id.desc())
        .limit(bindparam("limit"))
        .subquery("page")
    )
    peer = CURSOR.alias("peer")
    peer_id = case((DIRECT.c.low_user_id == _USER_ID, DIRECT.c.high_user_id), else_=DIRECT.c.low_user_id)
    this = page.c.conversation_id
    joined = (
        page.outerjoin(DIRECT, DIRECT.c.conversation_id == this)
        .outerjoin(CURSOR, (CURSOR.c.user_id == _USER_ID) & (CURSOR.c.conversation_id == this))
        .outerjoin(peer, (peer.c.user_id == peer_id) & (peer.c.conversation_id == this))
        .outerjoin(MEMBER_WINDOW, (MEMBER_WINDOW.c.conversation_id == this) & (MEMBER_WINDOW.c.user_id == _USER_ID))
    )
    others = (
        DIRECT.c.low_user_id, DIRECT.c.high_user_id,
        CURSOR.c.read_seq, CURSOR.c.read_count, CURSOR.c.hide_seq, CURSOR.c.hide_count,
        peer.c.read_seq, peer.c.received_seq,
    )  # fmt: skip
    return select(
        *page.c,
        *(func.coalesce(column, 0) for column in others),
        MEMBER_WINDOW.c.from_seq,
        MEMBER_WINDOW.c.to_seq,
    ).select_from(joined)


_OF_CONVERSATION: Final = (
    CONVERSATION.c.conversation_id, CONVERSATION.c.kind, CONVERSATION.c.status, CONVERSATION.c.fanout,
    CONVERSATION.c.epoch, CONVERSATION.c.rewind_seq, CONVERSATION.c.max_seq, CONVERSATION.c.max_count,
    CONVERSATION.c.min_seq, CONVERSATION.c.member_count, CONVERSATION.c.last_time, CONVERSATION.c.active_time,
    CONVERSATION.c.title,
)  # fmt: skip
