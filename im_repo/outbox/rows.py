"""Rows of `outbox`."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, update

from im_infra.sql.at_once import Expression
from im_infra.sql.expressions import read_now_ms
from im_infra.sql.rows import delete_by_key, insert_rows
from im_infra.sql.statements import Statement, write_together
from im_proto.repo.v1.stream_pb2 import OutboxRange, OutboxRanges
from im_repo.log.draft import Range
from im_repo.schema import OUTBOX

_COLUMNS: Final = ("created_time", "next_time", "owner", "ranges")


class OutboxRow(NamedTuple):
    """A row that is due."""

    outbox_id: int
    ranges: list[Range]
    trace: bytes = b""
    """The span of the append, where an entry was sampled."""


def row_to_insert(
    dialect: str,
    ranges: Sequence[Range],
    *,
    owner: str,
    now: int | Expression,
    next_time: int | Expression,
    trace: bytes = b"",
) -> Statement:
    """Guard the fan-out of `ranges` until it is confirmed; the statement gives the row its id.

    Args:
        dialect: `sqlite` or `mysql`.
        ranges: what the transaction stores.
        owner: the boot that counts the confirmations.
        now: the database's time, milliseconds since the epoch.
        next_time: when the sweeper takes it.
        trace: the span of the append, where an entry is sampled.
    """
    payload = OutboxRanges(ranges=[to_proto(one) for one in ranges], trace=trace).SerializeToString()
    return insert_rows(dialect, "outbox", _COLUMNS, [(now, next_time, owner, payload)])


def rows_to_delete(dialect: str, outbox_ids: Collection[int]) -> list[Statement]:
    """Forget rows that are confirmed, if there are any."""
    return [delete_by_key(dialect, "outbox", "id", sorted(outbox_ids))] if outbox_ids else []


def delete_rows(connection: Connection, outbox_ids: Collection[int]) -> None:
    """Forget rows that are confirmed, in the caller's transaction."""
    write_together(connection, rows_to_delete(connection.dialect.name, outbox_ids))


def find_due(connection: Connection, *, limit: int, whatever_age: bool, after_id: int = 0) -> list[OutboxRow]:
    """The rows that are due, oldest time first, by the database's clock.

    Args:
        connection: any transaction.
        limit: at most so many.
        whatever_age: all rows are due, as at a start: who counted them is gone. Then by id, from `after_id` on.
        after_id: see above.
    """
    rows = select(OUTBOX.c.id, OUTBOX.c.ranges).limit(limit)
    if whatever_age:
        rows = rows.where(OUTBOX.c.id > after_id).order_by(OUTBOX.c.id)
    else:
        rows = rows.where(OUTBOX.c.next_time <= read_now_ms(connection)).order_by(OUTBOX.c.next_time, OUTBOX.c.id)
    return [_row(row.id, row.ranges) for row in connection.execute(rows)]


def claim_rows(connection: Connection, wait_ms: dict[int, int], *, owner: str) -> None:
    """Take rows over: they are due again after their own wait, in milliseconds."""
    now = read_now_ms(connection)
    for outbox_id, wait in sorted(wait_ms.items()):
        connection.execute(update(OUTBOX).where(OUTBOX.c.id == outbox_id).values(owner=owner, next_time=now + wait))


def to_proto(one: Range) -> OutboxRange:
    """The range as the contract writes it."""
    return OutboxRange(conversation_id=one.conversation_id, from_seq=one.from_seq, to_seq=one.to_seq, fanout=one.fanout)


def _row(outbox_id: int, payload: bytes) -> OutboxRow:
    stored = OutboxRanges.FromString(payload)
    ranges = [Range(one.conversation_id, one.from_seq, one.to_seq, one.fanout) for one in stored.ranges]
    return OutboxRow(outbox_id, ranges, stored.trace)
