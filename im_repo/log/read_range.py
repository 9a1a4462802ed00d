"""Read a range of a log for one reader: clamped to the union of their stays, in present state."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.repo.v1.stream_pb2 import Range, SeqSpan
from im_repo.conversations.windows import Span, Window, visible_head, visible_spans, windows_in_sight
from im_repo.log.entries import ENTRY_COLUMNS, AnyRow, read_rows
from im_repo.log.present_state import present_entries
from im_repo.log.span_rules import clip, merged, missing_between
from im_repo.schema import CONVERSATION, MEMBER, MEMBER_WINDOW, MESSAGE

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 100
MAX_SEQS: Final = 100

_USER: Final[BindParameter[int]] = bindparam("of_user")
# A constant, as every pull asks it: SQLAlchemy takes as long to put such a statement together as to run it.
_LOG: Final = (
    select(
        *(CONVERSATION.c.kind, CONVERSATION.c.epoch, CONVERSATION.c.rewind_seq),
        *(CONVERSATION.c.max_seq, CONVERSATION.c.min_seq),
        *(MEMBER.c.state, MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq),
    )
    .select_from(
        CONVERSATION.outerjoin(
            MEMBER, and_(MEMBER.c.conversation_id == CONVERSATION.c.conversation_id, MEMBER.c.user_id == _USER)
        ).outerjoin(
            MEMBER_WINDOW,
            and_(MEMBER_WINDOW.c.conversation_id == CONVERSATION.c.conversation_id, MEMBER_WINDOW.c.user_id == _USER),
        )
    )
    .where(CONVERSATION.c.conversation_id == bindparam("of_conversation"))
    .order_by(MEMBER_WINDOW.c.from_seq)
)
"""The log and how the reader stands in it: a row for each of their stays, or one without."""


class RangeQuery(NamedTuple):
    """What is asked; see im.repo.v1.ReadRange."""

    conversation_id: int
    user_id: int
    from_seq: int = 0
    to_seq: int = 0
    limit: int = 0
    seqs: Sequence[int] = ()
    max_bytes: int = 0


def read_range(connection: Connection, query: RangeQuery) -> Range:
    """The asked entries that the reader may see, ascending, at least one if there is one.

    Raises:
        ImError: CONVERSATION_NOT_FOUND: there is none, or the reader was never in it.
    """
    found = connection.execute(_LOG, {"of_conversation": query.conversation_id, "of_user": query.user_id}).all()
    if not found:
        raise ImError(error_table.CONVERSATION_NOT_FOUND)
    log = found[0]
    stays = tuple(Window(row.from_seq, row.to_seq) for row in found if row.from_seq is not None)
    windows = windows_in_sight(stays, kind=log.kind, state=log.state)
    if not windows:
        raise ImError(error_table.CONVERSATION_NOT_FOUND)
    visible = merged(visible_spans(windows, min_seq=log.min_seq, max_seq=log.max_seq))
    head = visible_head(visible)
    floor = visible[0].from_seq if visible else log.min_seq
    answer = Range(epoch=log.epoch, rewind_seq=log.rewind_seq, max_seq=head, floor=floor)
    rows = _read_seqs(connection, query, visible) if query.seqs else _read_span(connection, query, visible, answer)
    answer.entries.extend(present_entries(connection, query.conversation_id, rows, visible))
    return answer


def _read_seqs(connection: Connection, query: RangeQuery, visible: Sequence[Span]) -> Sequence[AnyRow]:
    asked = {seq for seq in query.seqs[:MAX_SEQS] if clip(visible, from_seq=seq, to_seq=seq)}
    return connection.execute(
        select(*ENTRY_COLUMNS)
        .where(MESSAGE.c.conversation_id == query.conversation_id, MESSAGE.c.seq.in_(sorted(asked)))
        .order_by(MESSAGE.c.seq)
    ).all()


def _read_span(connection: Connection, query: RangeQuery, visible: Sequence[Span], answer: Range) -> list[AnyRow]:
    """Read up from from_seq, or back from to_seq, until the range, the limit or the bytes end."""
    back = not query.from_seq
    last = min(query.to_seq, answer.max_seq) if query.to_seq else answer.max_seq
    asked = clip(visible, from_seq=max(query.from_seq, 1), to_seq=last)
    limit = min(query.limit or DEFAULT_LIMIT, MAX_LIMIT)
    rows: list[AnyRow] = []
    for span in reversed(asked) if back else asked:
        left = limit - len(rows)
        if left <= 0:
            break
        rows += read_rows(
            connection, query.conversation_id, from_seq=span.from_seq, to_seq=span.to_seq, limit=left, back=back
        )
    rows = _fitting(rows, query.max_bytes)
    if rows:
        answer.more = rows[-1].seq != (asked[0].from_seq if back else asked[-1].to_seq)
    rows.sort(key=lambda row: row.seq)
    # Told for the covered stretch only; below the floor nothing is, and the floor says so.
    first = rows[0].seq if back and answer.more else max(query.from_seq, answer.floor)
    covered = rows[-1].seq if not back and answer.more else last
    missing = missing_between(visible, from_seq=first, to_seq=covered)
    answer.missing.extend(SeqSpan(from_seq=span.from_seq, to_seq=span.to_seq) for span in missing)
    return rows


def _fitting(rows: Iterable[AnyRow], max_bytes: int) -> list[AnyRow]:
    """As many as fit, at least one; 0: all."""
    fitting: list[AnyRow] = []
    size = 0
    for row in rows:
        size += len(row.body)
        if max_bytes and fitting and size > max_bytes:
            break
        fitting.append(row)
    return fitting
