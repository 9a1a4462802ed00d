"""What the target knows of a transfer into it: from which source, and how far each table has come.

The table is there from before the first row until all rows are compared, and nothing serves the database meanwhile
(`im_repo.migrations.upgrade` refuses it). How far a table has come is written in the transaction of its rows.
"""

import json
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect, literal, select, update

from im_infra.sql.types import BIG_INT, ascii_text, text
from im_repo.migrations.upgrade import TRANSFER_NAME, SchemaError, stored_revision
from im_repo.schema import TABLES
from im_repo.transfer.errors import NotEmptyError, OtherSourceError
from im_repo.transfer.key_order import Key

TRANSFER: Final = Table(
    TRANSFER_NAME,
    MetaData(),
    Column("table_name", ascii_text(64), primary_key=True),
    Column("source", ascii_text(32), nullable=False, comment="the source's fingerprint"),
    Column("position", text(1000), nullable=False, comment="JSON: the key of the last row; empty: none yet"),
    Column("row_count", BIG_INT, nullable=False),
)


class Position(NamedTuple):
    """How far a table has come."""

    key: Key | None
    """Of the last row that arrived; None: none has."""
    row_count: int


def is_announced(connection: Connection) -> bool:
    """Whether nothing but a transfer may write to this database; its table is made before the first row of it."""
    return inspect(connection).has_table(TRANSFER.name)


def is_begun(connection: Connection) -> bool:
    """Whether a transfer into this database is under way."""
    return is_announced(connection) and connection.execute(select(literal(1)).select_from(TRANSFER)).first() is not None


def begin(connection: Connection, fingerprint: str) -> None:
    """Begin a transfer into a database that has the schema and nothing else.

    Raises:
        NotEmptyError: there is a row in one of the tables.
    """
    for table in TABLES:
        if connection.execute(select(literal(1)).select_from(table).limit(1)).first():
            raise NotEmptyError(f"the database is not empty: there are rows in the table {table.name}")
    TRANSFER.create(connection, checkfirst=True)
    rows = [{"table_name": table.name, "source": fingerprint, "position": "", "row_count": 0} for table in TABLES]
    connection.execute(insert(TRANSFER), rows)


def positions(connection: Connection, fingerprint: str, revision: str) -> dict[str, Position]:
    """How far each table has come.

    Args:
        connection: where a transfer is under way.
        fingerprint: of the source that is to be carried on.
        revision: of the schema that the rows are for.

    Raises:
        OtherSourceError: it is not the source that the transfer began with.
        SchemaError: another version began it.
    """
    if (found := stored_revision(connection)) != revision:
        raise SchemaError(
            f"the transfer was begun at revision {found}, this version has {revision}: end it with that one"
        )
    rows = connection.execute(select(TRANSFER)).all()
    if any(row.source != fingerprint for row in rows):
        raise OtherSourceError(
            "a transfer into this database was begun from other data, or the source has run since: empty it and begin anew"
        )
    return {row.table_name: Position(_key(row.position), row.row_count) for row in rows}


def advance(connection: Connection, table: Table, before: Position, after: Position) -> None:
    """Write down how far a table has come, in the transaction of its rows.

    Raises:
        OtherSourceError: another process carries rows into the same database.
    """
    moved = connection.execute(
        update(TRANSFER)
        .where(TRANSFER.c.table_name == table.name, TRANSFER.c.position == _text(before.key))
        .values(position=_text(after.key), row_count=after.row_count)
    )
    if moved.rowcount != 1:
        raise OtherSourceError("another process carries data into this database at the same time")


def end(connection: Connection) -> None:
    """All is there and compared: from now on the database may be served."""
    TRANSFER.drop(connection)


def _text(key: Key | None) -> str:
    if key is None:
        return ""
    return json.dumps([{"hex": part.hex()} if isinstance(part, bytes) else part for part in key])


def _key(stored: str) -> Key | None:
    if not stored:
        return None
    parts: list[Any] = json.loads(stored)
    return tuple(bytes.fromhex(part["hex"]) if isinstance(part, dict) else part for part in parts)
