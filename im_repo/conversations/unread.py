"""How much of a conversation is unread, exactly up to 99.

Unread is what counts (texts, not notices or recalls), after the read cursor, within the reader's windows, not their own
and not recalled. Running counts tell at once that there is nothing, or more than could be shown; what lies between is
counted from at most `SCANNED_ROWS` rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, func, select

from im_proto.v1.message_pb2 import Content
from im_repo.conversations.message_flags import COUNTABLE, RECALLED, has
from im_repo.conversations.span_counts import MENTION_TAG, count_spans
from im_repo.conversations.span_query import LogSpan, SpanParameters, SpanQuery
from im_repo.conversations.windows import Span
from im_repo.schema import MESSAGE

SCANNED_ROWS: Final = 200
MANY: Final = 100
"""Told instead of a number: "99+"."""


class Readable(NamedTuple):
    """What somebody may read of a conversation and how far they have."""

    reader_id: int
    conversation_id: int
    spans: Sequence[Span]
    """The visible ones, ascending."""
    after_seq: int
    """The read cursor, or what was hidden if that is further."""
    counted_after: int
    """Countable entries of the whole log after the read cursor."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What is unread."""

    count: int
    """Exact up to 99; 100 means more."""
    mentioned: bool
    """An unread text among the newest `SCANNED_ROWS` mentions the reader or everybody."""


def unread_span(readable: Readable) -> LogSpan | None:
    """The stretch to scan, or None if nothing can be unread.

    Only the newest visible span: whoever comes back begins with a cursor at the head, so that earlier stays are read.
    """
    if readable.counted_after <= 0 or not readable.spans:
        return None
    newest = readable.spans[-1]
    from_seq = max(newest.from_seq, readable.after_seq + 1, newest.to_seq - SCANNED_ROWS + 1)
    if from_seq > newest.to_seq:
        return None
    return LogSpan(readable.conversation_id, from_seq, newest.to_seq, readable.reader_id)


def unread_count(readable: Readable, scanned: LogSpan, *, countable: int, others: int) -> int:
    """The number to show, given what the scan found.

    Args:
        readable: what was asked about.
        scanned: the stretch of it that was scanned.
        countable: entries in it that count at all.
        others: those of them by others and not recalled.
    """
    whole = scanned.from_seq <= max(readable.spans[-1].from_seq, readable.after_seq + 1)
    if not whole and readable.counted_after > countable:
        return MANY
    return min(others, MANY)


def count_unread(connection: Connection, readables: Sequence[Readable]) -> list[int]:
    """The unread count of each, in their order; few statements for all that have something after the cursor."""
    return [unread.count for unread in _scan(connection, readables, suspects=None)]


def read_unread(connection: Connection, readables: Sequence[Readable]) -> list[Unread]:
    """As `count_unread`, with the mention mark."""
    suspects: list[tuple[int, LogSpan]] = []
    unread = _scan(connection, readables, suspects=suspects)
    for place in _mentioned(connection, suspects):
        unread[place] = replace(unread[place], mentioned=True)
    return unread


def _scan(
    connection: Connection, readables: Sequence[Readable], *, suspects: list[tuple[int, LogSpan]] | None
) -> list[Unread]:
    unread = [Unread(0, mentioned=False)] * len(readables)
    spans = {place: span for place, readable in enumerate(readables) if (span := unread_span(readable)) is not None}
    places = list(spans)
    for index, counts in count_spans(connection, list(spans.values())):
        place = places[index]
        count = unread_count(readables[place], spans[place], countable=counts.countable, others=counts.others)
        unread[place] = Unread(count, mentioned=False)
        if suspects is not None and counts.suspects:
            suspects.append((place, spans[place]))
    return unread


def _mentioned(connection: Connection, suspects: Sequence[tuple[int, LogSpan]]) -> set[int]:
    places: set[int] = set()
    for index, row in _SUSPECTS.run(connection, [span for _, span in suspects]):
        place, span = suspects[index]
        if place not in places and mentions(row.body, span.subject):
            places.add(place)
    return places


def mentions(body: bytes, user_id: int) -> bool:
    """Whether a serialised Content mentions the user, or everybody."""
    content = Content.FromString(body)
    text = content.edit if content.HasField("edit") else content.text
    return any(mention.user_id in (user_id, 0) for mention in text.mentions)


def _suspects(span: SpanParameters) -> Select[Any]:
    edit = MESSAGE.alias()
    body = func.coalesce(edit.c.body, MESSAGE.c.body)
    return (
        select(body.label("body"))
        .select_from(
            MESSAGE.outerjoin(
                edit,
                (edit.c.conversation_id == MESSAGE.c.conversation_id)
                & (edit.c.seq == MESSAGE.c.edit_seq)
                & (edit.c.seq <= span.to_seq),
            )
        )
        .where(
            MESSAGE.c.conversation_id == span.conversation_id,
            MESSAGE.c.seq.between(span.from_seq, span.to_seq),
            has(MESSAGE.c.flags, COUNTABLE),
            ~has(MESSAGE.c.flags, RECALLED),
            MESSAGE.c.sender_id != span.subject,
            func.instr(body, MENTION_TAG) != 0,
        )
    )


_SUSPECTS: Final = SpanQuery(_suspects)
