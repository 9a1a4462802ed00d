"""Statements by hand that travel together, past SQLAlchemy: where each of them costs every message sent.

SQLAlchemy takes 20 µs of CPU a statement, and a server on the network a round trip. So the few units that run for every
message ask all they know at once, and hand their last statements over to be run with the COMMIT.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Rows = Sequence[Sequence[Any]]

SHORTCUT: Final = "im_infra.sql.shortcut"
"""Where a connection that has a `Shortcut` keeps it, in `Connection.info`."""


class Statement(NamedTuple):
    """SQL in the engine's own words, and the values that the driver binds to its marks."""

    sql: str
    values: Sequence[object] = ()
    in_one: bool = False
    """Its rows come in a single one, as a JSON array of arrays: `rows` takes them apart."""

    def rows(self, fetched: Rows) -> Rows:
        """The rows that it asks for, of those that the driver gave."""
        return json.loads(fetched[0][0]) if self.in_one else fetched


class Closing(NamedTuple, Generic[T]):
    """What a unit leaves to be run with its COMMIT."""

    statements: Sequence[Statement]
    """In their order; none of them gives rows."""
    answer: Callable[[Sequence[int]], T]
    """The unit's result, given the id that each statement gave its new row, if it gave one; called after the COMMIT."""


class Shortcut(Protocol):
    """The way past SQLAlchemy that a member has on some of its connections."""

    def read(self, statements: Sequence[Statement]) -> list[Rows]:
        """The rows of each, as the driver gives them."""
        ...

    def write(self, statements: Sequence[Statement]) -> list[int]:
        """Run each; the id that it gave its new row. After one that gives none it is any number."""
        ...


def read_together(connection: Connection, statements: Sequence[Statement]) -> list[Rows]:
    """The rows of each statement, asked at once where the connection can."""
    shortcut: Shortcut | None = connection.info.get(SHORTCUT)
    if shortcut is not None:
        fetched = shortcut.read(statements)
    else:
        fetched = [connection.exec_driver_sql(one.sql, tuple(one.values)).all() for one in statements]
    return [one.rows(rows) for one, rows in zip(statements, fetched, strict=True)]


def write_together(connection: Connection, statements: Sequence[Statement]) -> list[int]:
    """Run the statements, at once where the connection can; the id that each gave its new row, if it gave one."""
    shortcut: Shortcut | None = connection.info.get(SHORTCUT)
    if shortcut is not None:
        return shortcut.write(statements)
    return [connection.exec_driver_sql(one.sql, tuple(one.values)).lastrowid or 0 for one in statements]


def close(connection: Connection, closing: Closing[T]) -> T:
    """Run what a unit closes with, and leave the COMMIT to the caller."""
    return closing.answer(write_together(connection, closing.statements))
