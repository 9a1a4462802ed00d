"""The last countable message that a reader may see of each conversation, in its present state."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from im_infra.contract.log_entry import bare, to_message
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, Content, Message
from im_repo.conversations.message_flags import COUNTABLE, RECALLED, has
from im_repo.conversations.span_query import LogSpan, SpanParameters, SpanQuery
from im_repo.conversations.windows import Span, is_visible
from im_repo.schema import MESSAGE


def read_last_messages(connection: Connection, visible: Mapping[int, Sequence[Span]]) -> dict[int, Message]:
    """The last countable message within the visible spans of each conversation; absent where there is none.

    One statement per 32 spans. Its text is that of the newest edit the reader may see; a reply whose target they may
    not see comes bare.
    """
    spans = [LogSpan(of, span.from_seq, span.to_seq) for of, of_one in visible.items() for span in of_one]
    newest: dict[int, Row[Any]] = {}
    for _, row in _LAST.run(connection, spans):
        known = newest.get(row.conversation_id)
        if known is None or known.seq < row.seq:
            newest[row.conversation_id] = row
    return {of: _message(row, visible[of]) for of, row in newest.items()}


def _message(row: Row[Any], visible: Sequence[Span]) -> Message:
    recalled = bool(row.flags & RECALLED)
    # A change that the reader may not see did not happen for them; a recall took the body away for everybody.
    changed = row.changed_seq if recalled or is_visible(row.changed_seq, visible) else row.edit_seq or 0
    entry = LogEntry(
        conversation_id=row.conversation_id,
        seq=row.seq,
        count=row.count_,
        message_id=row.message_id,
        sender_id=row.sender_id,
        client_message_id=row.client_message_id,
        type=row.type,
        ref_seq=row.ref_seq,
        server_time=row.server_time,
        body=b"" if recalled else row.body if row.edit_body is None else edited_body(row.edit_body),
        changed_seq=changed,
        edit_time=0 if recalled else row.edit_time or 0,
        recalled=recalled,
    )
    message = to_message(entry)
    return bare(message) if row.ref_seq and not is_visible(row.ref_seq, visible) else message


def edited_body(edit_body: bytes) -> bytes:
    """The target's Content after an edit, given the Content of the edit's own entry."""
    return Content(text=Content.FromString(edit_body).edit).SerializeToString()


def _last(span: SpanParameters) -> Select[Any]:
    last = (
        select(MESSAGE)
        .where(
            MESSAGE.c.conversation_id == span.conversation_id,
            MESSAGE.c.seq.between(span.from_seq, span.to_seq),
            has(MESSAGE.c.flags, COUNTABLE),
        )
        .order_by(MESSAGE.c.seq.desc())
        .limit(1)
        .subquery("last")
    )
    inner = MESSAGE.alias("inner_edit")
    newest_edit = (
        select(func.max(inner.c.seq))
        .where(
            last.c.edit_seq != 0,
            inner.c.conversation_id == last.c.conversation_id,
            inner.c.ref_seq == last.c.seq,
            inner.c.type == MESSAGE_TYPE_EDIT,
            inner.c.seq > last.c.seq,
            inner.c.seq <= span.to_seq,
        )
        .scalar_subquery()
    )
    edit = MESSAGE.alias("edit")
    return select(
        last.c.conversation_id, last.c.seq, last.c.count.label("count_"), last.c.message_id, last.c.sender_id,
        last.c.client_message_id, last.c.type, last.c.ref_seq, last.c.server_time, last.c.body, last.c.flags,
        last.c.changed_seq, edit.c.seq.label("edit_seq"), edit.c.body.label("edit_body"),
        edit.c.server_time.label("edit_time"),
    ).select_from(
        last.outerjoin(edit, (edit.c.conversation_id == last.c.conversation_id) & (edit.c.seq == newest_edit))
    )  # fmt: skip


_LAST: Final = SpanQuery(_last)
