"""The last countable message that a reader may see of each conversation, in its present state."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from im_infra.contract.log_entry import bare, to_message
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, Content, Message
from im_repo.conversations.message_flags import COUNTABLE, PURGED, RECALLED, has
from im_repo.conversations.span_query import LogSpan, SpanParameters, SpanQuery
from im_repo.conversations.windows import Span, is_visible
from im_repo.schema import MESSAGE, REFERS


class _Edit(NamedTuple):
    seq: int
    body: bytes
    time: int


def read_last_messages(connection: Connection, visible: Mapping[int, Sequence[Span]]) -> dict[int, Message]:
    """The last countable message within the visible spans of each conversation; absent where there is none.

    One statement per 32 spans, and one more per 32 messages that were edited after their reader left. The text is that
    of the newest edit the reader may see; a reply whose target they may not see comes bare.
    """
    spans = [LogSpan(of, span.from_seq, span.to_seq) for of, of_one in visible.items() for span in of_one]
    newest: dict[int, Row[Any]] = {}
    for _, row in _LAST.run(connection, spans):
        known = newest.get(row.conversation_id)
        if known is None or known.seq < row.seq:
            newest[row.conversation_id] = row
    edits = _visible_edits(connection, newest, visible)
    return {of: _message(row, edits.get(of), visible[of]) for of, row in newest.items()}


def _visible_edits(
    connection: Connection, rows: Mapping[int, Row[Any]], visible: Mapping[int, Sequence[Span]]
) -> dict[int, _Edit]:
    """The newest edit of each conversation's message that its reader may see."""
    edits: dict[int, _Edit] = {}
    unseen: list[LogSpan] = []
    for of, row in rows.items():
        if row.edit_body is None or row.flags & (RECALLED | PURGED):
            continue
        if is_visible(row.edit_seq, visible[of]):
            edits[of] = _Edit(row.edit_seq, row.edit_body, row.edit_time)
        else:
            unseen += (LogSpan(of, span.from_seq, span.to_seq, row.seq) for span in visible[of])
    for index, row in _EDITS.run(connection, unseen):
        of = unseen[index].conversation_id
        edits[of] = max(edits.get(of, _Edit(0, b"", 0)), _Edit(row.seq, row.body, row.server_time))
    return edits


def _message(row: Row[Any], edit: _Edit | None, visible: Sequence[Span]) -> Message:
    recalled = bool(row.flags & RECALLED)
    # A change that the reader may not see did not happen for them; a recall took the body away for everybody.
    told = recalled or is_visible(row.changed_seq, visible)
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
        body=row.body if edit is None else edited_body(edit.body),
        changed_seq=row.changed_seq if told else edit.seq if edit else 0,
        edit_time=edit.time if edit else 0,
        recalled=recalled,
    )
    message = to_message(entry)
    return bare(message) if row.ref_seq and not is_visible(row.ref_seq, visible) else message


def edited_body(edit_body: bytes) -> bytes:
    """The target's Content after an edit, given the Content of the edit's own entry."""
    return Content(text=Content.FromString(edit_body).edit).SerializeToString()


def _last(span: SpanParameters) -> Select[Any]:
    """The newest of a stretch, found by its seq alone.

    Were the whole row in a derived table, MariaDB would make one on disk for each stretch, because of the body.
    """
    candidate, edit = MESSAGE.alias("candidate"), MESSAGE.alias("edit")
    newest = (
        select(candidate.c.seq)
        .where(
            candidate.c.conversation_id == span.conversation_id,
            candidate.c.seq.between(span.from_seq, span.to_seq),
            has(candidate.c.flags, COUNTABLE),
        )
        .order_by(candidate.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    last = MESSAGE.c
    return (
        select(
            last.conversation_id, last.seq, last.count.label("count_"), last.message_id, last.sender_id,
            last.client_message_id, last.type, last.ref_seq, last.server_time, last.body, last.flags,
            last.changed_seq, edit.c.seq.label("edit_seq"), edit.c.body.label("edit_body"),
            edit.c.server_time.label("edit_time"),
        )
        .select_from(
            MESSAGE.outerjoin(
                edit, (edit.c.conversation_id == last.conversation_id) & (edit.c.seq == last.edit_seq)
            )
        )
        .where(last.conversation_id == span.conversation_id, last.seq == newest)
    )  # fmt: skip


def _edits(span: SpanParameters) -> Select[Any]:
    """The newest edit within the span of the entry that the question is about."""
    return (
        select(MESSAGE.c.seq, MESSAGE.c.body, MESSAGE.c.server_time)
        .where(
            MESSAGE.c.conversation_id == span.conversation_id,
            MESSAGE.c.ref_seq == span.subject,
            REFERS,
            MESSAGE.c.type == MESSAGE_TYPE_EDIT,
            MESSAGE.c.seq.between(span.from_seq, span.to_seq),
        )
        .order_by(MESSAGE.c.seq.desc())
        .limit(1)
    )


_LAST: Final = SpanQuery(_last)
_EDITS: Final = SpanQuery(_edits)
