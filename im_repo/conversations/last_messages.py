"""The last countable message that a reader may see of each conversation, in its present state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, select

from im_infra.contract.log_entry import bare, to_message
from im_infra.sql.rows import find_by_keys
from im_infra.sql.statements import read_together
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, Content, Message
from im_repo.conversations.message_flags import COUNTABLE, PURGED, RECALLED, has
from im_repo.conversations.span_query import LogSpan, SpanParameters, SpanQuery
from im_repo.conversations.windows import Span, is_visible
from im_repo.schema import MESSAGE, REFERS


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of `message`, named as its columns."""

    conversation_id: int
    seq: int
    count: int
    message_id: int
    sender_id: int
    client_message_id: bytes
    type: int
    ref_seq: int
    flags: int
    edit_seq: int
    changed_seq: int
    server_time: int
    body: bytes


_COLUMNS: Final = tuple(field.name for field in fields(_Entry))


class _Edit(NamedTuple):
    seq: int
    body: bytes
    time: int


def read_last_messages(connection: Connection, visible: Mapping[int, Sequence[Span]]) -> dict[int, Message]:
    """The last countable message within the visible spans of each conversation; absent where there is none.

    One statement where that is the visible head of each; for the others one that looks back, as in `SpanQuery`, and one
    that reads what it found. Edits take one more, and one for messages that were edited after their reader left. The text
    is that of the newest edit the reader may see; a reply whose target they may not see comes bare.
    """
    newest = _newest(connection, visible)
    edits = _visible_edits(connection, newest, visible)
    return {of: _message(row, edits.get(of), visible[of]) for of, row in newest.items()}


def _newest(connection: Connection, visible: Mapping[int, Sequence[Span]]) -> dict[int, _Entry]:
    """The entry itself, by conversation: mostly the visible head, which costs a tenth of looking for it."""
    newest = _find(connection, [(of, spans[-1].to_seq) for of, spans in visible.items() if spans])
    newest = {of: entry for of, entry in newest.items() if entry.flags & COUNTABLE}
    spans = [LogSpan(of, *span) for of, of_one in visible.items() if of not in newest for span in of_one]
    seqs: dict[int, int] = {}
    for _, row in _LAST.run(connection, spans):
        seqs[row.conversation_id] = max(row.seq, seqs.get(row.conversation_id, 0))
    return newest | _find(connection, list(seqs.items()))


def _find(connection: Connection, places: Sequence[tuple[int, int]]) -> dict[int, _Entry]:
    """The entries at (conversation, seq), by conversation: one place in each at most."""
    if not places:
        return {}
    question = find_by_keys(
        connection.dialect.name, "message", _COLUMNS, ("conversation_id", "seq"), places, binary=True
    )
    [rows] = read_together(connection, [question])
    return {row[0]: _Entry(*row) for row in rows}


def _visible_edits(
    connection: Connection, newest: Mapping[int, _Entry], visible: Mapping[int, Sequence[Span]]
) -> dict[int, _Edit]:
    """The newest edit of each conversation's message that its reader may see."""
    seen: list[tuple[int, int]] = []
    unseen: list[LogSpan] = []
    for of, entry in newest.items():
        if not entry.edit_seq or entry.flags & (RECALLED | PURGED):
            continue
        if is_visible(entry.edit_seq, visible[of]):
            seen.append((of, entry.edit_seq))
        else:
            unseen += (LogSpan(of, span.from_seq, span.to_seq, entry.seq) for span in visible[of])
    edits = {of: _Edit(entry.seq, entry.body, entry.server_time) for of, entry in _find(connection, seen).items()}
    for index, row in _EDITS.run(connection, unseen):
        of = unseen[index].conversation_id
        edits[of] = max(edits.get(of, _Edit(0, b"", 0)), _Edit(row.seq, row.body, row.server_time))
    return edits


def _message(entry: _Entry, edit: _Edit | None, visible: Sequence[Span]) -> Message:
    recalled = bool(entry.flags & RECALLED)
    # A change that the reader may not see did not happen for them; a recall took the body away for everybody.
    told = recalled or is_visible(entry.changed_seq, visible)
    message = to_message(
        LogEntry(
            conversation_id=entry.conversation_id,
            seq=entry.seq,
            count=entry.count,
            message_id=entry.message_id,
            sender_id=entry.sender_id,
            client_message_id=entry.client_message_id,
            type=entry.type,
            ref_seq=entry.ref_seq,
            server_time=entry.server_time,
            body=entry.body if edit is None else edited_body(edit.body),
            changed_seq=entry.changed_seq if told else edit.seq if edit else 0,
            edit_time=edit.time if edit else 0,
            recalled=recalled,
        )
    )
    return bare(message) if entry.ref_seq and not is_visible(entry.ref_seq, visible) else message


def edited_body(edit_body: bytes) -> bytes:
    """The target's Content after an edit, given the Content of the edit's own entry."""
    return Content(text=Content.FromString(edit_body).edit).SerializeToString()


def _last(span: SpanParameters) -> Select[Any]:
    """The newest of a stretch: where it lies, since a whole row would be sorted with its body."""
    return (
        select(MESSAGE.c.conversation_id, MESSAGE.c.seq)
        .where(
            MESSAGE.c.conversation_id == span.conversation_id,
            MESSAGE.c.seq.between(span.from_seq, span.to_seq),
            has(MESSAGE.c.flags, COUNTABLE),
        )
        .order_by(MESSAGE.c.seq.desc())
        .limit(1)
    )


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
