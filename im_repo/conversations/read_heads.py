"""Heads: what a client needs to list conversations, and where each one's log stands for the user."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_WORLD,
    MEMBER_STATE_IN,
    Conversation,
    Head,
)
from im_proto.v1.message_pb2 import Message
from im_repo.conversations.head_rows import HeadRow, HeadsQuery, read_head_rows
from im_repo.conversations.last_messages import read_last_messages
from im_repo.conversations.make import FANOUT_LARGE
from im_repo.conversations.unread import Readable, Unread, read_unread
from im_repo.conversations.windows import Span, visible_head, visible_spans


@dataclass(frozen=True, slots=True)
class HeadsPage:
    """A page of heads, newest first."""

    heads: list[Head]
    last: tuple[int, int] | None
    """(last_time, conversation_id) to go on from; None: this is the last page."""


def read_heads(connection: Connection, query: HeadsQuery) -> HeadsPage:
    """Read a page of heads for a user.

    Conversations are ordered by (last_time, conversation_id), descending, from no upper bound: one that moves while
    somebody pages is missed by the later pages, but not by the next sync, which asks from before the first page.

    The number of statements depends on the page's size, not on how many conversations there are; the database looks at
    each of the user's member rows once a page.
    """
    rows = read_head_rows(connection, replace(query, limit=query.limit + 1))
    more = len(rows) > query.limit
    del rows[query.limit :]
    visible = {
        row.conversation_id: visible_spans(row.windows, min_seq=max(row.min_seq, row.hide_seq + 1), max_seq=row.max_seq)
        for row in rows
    }
    unread = _read_unread(connection, query.user_id, rows, visible)
    messages = read_last_messages(connection, visible)
    heads = [
        _head(
            row,
            query.user_id,
            unread=unread.get(row.conversation_id, _NOTHING_UNREAD),
            last_message=messages.get(row.conversation_id),
        )
        for row in rows
    ]
    return HeadsPage(heads, (rows[-1].last_time, rows[-1].conversation_id) if more else None)


_NOTHING_UNREAD = Unread(0, mentioned=False)


def _read_unread(
    connection: Connection, user_id: int, rows: Sequence[HeadRow], visible: dict[int, list[Span]]
) -> dict[int, Unread]:
    """Unread of those the user is in; whoever is out has nothing to catch up with."""
    readables = [
        Readable(
            reader_id=user_id,
            conversation_id=row.conversation_id,
            spans=visible[row.conversation_id],
            after_seq=max(row.read_seq, row.hide_seq),
            counted_after=row.max_count - max(row.read_count, row.hide_count),
        )
        for row in rows
        if row.state == MEMBER_STATE_IN
    ]
    unread = read_unread(connection, readables)
    return {readable.conversation_id: of_one for readable, of_one in zip(readables, unread, strict=True)}


def _head(row: HeadRow, user_id: int, *, unread: Unread, last_message: Message | None) -> Head:
    inside = row.state == MEMBER_STATE_IN
    # Whoever is out learns neither when the others write nor how many they are.
    active_time = row.active_time if inside else last_message.server_time if last_message is not None else 0
    conversation = Conversation(
        conversation_id=row.conversation_id,
        kind=row.kind,  # type: ignore[arg-type]  # an int of the same enum, as are those below
        title=row.title,
        peer_id=row.high_user_id if row.low_user_id == user_id else row.low_user_id,
        status=row.status,  # type: ignore[arg-type]
        epoch=row.epoch,
        rewind_seq=row.rewind_seq,
        min_seq=row.min_seq,
        member_count=row.member_count if inside and row.kind != CONVERSATION_KIND_WORLD else 0,
        role=row.role,  # type: ignore[arg-type]
        state=row.state,  # type: ignore[arg-type]
        active_time=active_time,
        large=row.fanout == FANOUT_LARGE,
    )
    return Head(
        conversation=conversation,
        max_seq=visible_head(visible_spans(row.windows, min_seq=row.min_seq, max_seq=row.max_seq)),
        read_seq=row.read_seq,
        unread=unread.count,
        peer_received_seq=row.peer_received_seq,
        peer_read_seq=row.peer_read_seq,
        mentioned=unread.mentioned,
        last_message=last_message,
    )
