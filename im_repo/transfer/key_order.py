"""Reading a table from its beginning to its end, in the order of its key, a batch at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, literal, or_, select, tuple_

Key = tuple[Any, ...]
Row = tuple[Any, ...]


def read_batch(connection: Connection, table: Table, after: Key | None, *, limit: int) -> list[Row]:
    """The next rows, with all columns in the order of the table.

    Args:
        connection: of either engine.
        table: which.
        after: the key of the last row that was read; None: from the beginning.
        limit: so many at most; fewer are the last ones.
    """
    columns = list(table.primary_key.columns)
    query = select(table).order_by(*columns).limit(limit)
    if after is not None:
        query = query.where(_greater(connection.dialect.name, columns, after))
    return [tuple(row) for row in connection.execute(query)]


def key_of(table: Table, row: Row) -> Key:
    """A row's primary key."""
    names = list(table.columns)
    return tuple(row[names.index(column)] for column in table.primary_key.columns)


def _greater(dialect: str, columns: Sequence[Column[Any]], key: Key) -> ColumnElement[bool]:
    """Keys that come after `key`: as a row's value for SQLite, spelt out for MySQL, or each would walk the whole index."""
    if dialect == "sqlite":
        return tuple_(*columns) > tuple_(*map(literal, key))
    return or_(
        *(
            and_(
                *(column == value for column, value in zip(columns[:depth], key, strict=False)), columns[depth] > value
            )
            for depth, value in enumerate(key)
        )
    )
