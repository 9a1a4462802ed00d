"""Entries as a reader may see them now: with the newest edit they may see, bare where their target is out of sight."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from im_proto.repo.v1.stream_pb2 import LogEntry
from im_repo.conversations.last_messages import edited_body
from im_repo.conversations.windows import Span, is_visible
from im_repo.log.entries import AnyRow, to_entry
from im_repo.log.values import FLAG_PURGED, FLAG_RECALLED, TYPE_EDIT
from im_repo.schema import MESSAGE, REFERS


def present_entries(
    connection: Connection, conversation_id: int, rows: Sequence[AnyRow], visible: Sequence[Span]
) -> list[LogEntry]:
    """The rows in the state that the reader of `visible` may see, in their order.

    A change that the reader may not see did not happen for them, save a recall: that took the body away for everybody.
    """
    edits = _newest_edits(connection, conversation_id, rows, visible)
    return [_present(row, edits.get(row.seq), visible) for row in rows]


def _present(row: AnyRow, edit: AnyRow | None, visible: Sequence[Span]) -> LogEntry:
    entry = to_entry(row)
    if edit is not None:
        entry.body = edited_body(edit.body)
        entry.edit_time = edit.server_time
    if not entry.recalled and not is_visible(row.changed_seq, visible):
        entry.changed_seq = edit.seq if edit is not None else 0
    if row.ref_seq and not is_visible(row.ref_seq, visible):
        entry.body = b""
    return entry


def _newest_edits(
    connection: Connection, conversation_id: int, rows: Iterable[AnyRow], visible: Sequence[Span]
) -> dict[int, AnyRow]:
    """For each edited entry that still says something, its newest edit in sight, by the entry's seq."""
    gone = FLAG_RECALLED | FLAG_PURGED
    edited = {row.seq: row.edit_seq for row in rows if row.edit_seq and not row.flags & gone}
    if not edited:
        return {}
    seen = {seq: edit_seq for seq, edit_seq in edited.items() if is_visible(edit_seq, visible)}
    found = {row.ref_seq: row for row in _edits(connection, conversation_id, MESSAGE.c.seq.in_(sorted(seen.values())))}
    unseen = sorted(edited.keys() - seen.keys())
    if unseen:  # edited after the reader left: an earlier edit may lie within their stay
        in_sight = or_(*(MESSAGE.c.seq.between(span.from_seq, span.to_seq) for span in visible))
        earlier = _edits(connection, conversation_id, MESSAGE.c.ref_seq.in_(unseen) & REFERS & in_sight)
        found |= {row.ref_seq: row for row in earlier}  # ascending: the newest stays
    return found


def _edits(connection: Connection, conversation_id: int, which: Any) -> Sequence[AnyRow]:  # noqa: ANN401 - SQLAlchemy's
    return connection.execute(
        select(MESSAGE.c.seq, MESSAGE.c.ref_seq, MESSAGE.c.server_time, MESSAGE.c.body)
        .where(MESSAGE.c.conversation_id == conversation_id, MESSAGE.c.type == TYPE_EDIT, which)
        .order_by(MESSAGE.c.seq)
    ).all()
