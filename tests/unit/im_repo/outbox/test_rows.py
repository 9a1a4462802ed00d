"""Rows of the outbox."""

from typing import Any

from sqlalchemy import Connection, select, update

from im_infra.sql.statements import write_together
from im_repo.log.draft import Range
from im_repo.outbox.rows import claim_rows, delete_rows, find_due, row_to_insert
from im_repo.schema import OUTBOX

RANGES = [Range(70, 5, 7, 1), Range(71, 1, 1, 2)]


def put(connection: Connection, next_time: Any) -> Any:
    statement = row_to_insert(connection.dialect.name, RANGES, owner="boot", now=1, next_time=next_time)
    return write_together(connection, [statement])[0]


def due(connection: Connection, **how: object) -> Any:
    rows = find_due(connection, **{"limit": 10, "whatever_age": False, **how})
    return [row.outbox_id for row in rows]


def test_rows_are_due_by_their_time(connection: Connection) -> None:
    late, early, future = put(connection, 9), put(connection, 5), put(connection, 1 << 60)
    assert due(connection) == [early, late]
    assert due(connection, limit=1) == [early]
    assert due(connection, whatever_age=True) == [late, early, future]
    assert due(connection, whatever_age=True, after_id=early) == [future]


def test_ranges_come_back_as_they_were(connection: Connection) -> None:
    put(connection, 5)
    assert find_due(connection, limit=1, whatever_age=False)[0].ranges == RANGES


def test_a_claimed_row_waits(connection: Connection) -> None:
    row = put(connection, 5)
    claim_rows(connection, {row: 60_000}, owner="other")
    assert due(connection) == []
    assert connection.scalar(select(OUTBOX.c.owner)) == "other"
    connection.execute(update(OUTBOX).values(next_time=1))
    assert due(connection) == [row]


def test_rows_are_deleted_by_id(connection: Connection) -> None:
    first, second = put(connection, 5), put(connection, 5)
    delete_rows(connection, [first, 999])
    assert due(connection) == [second]
    delete_rows(connection, [])
