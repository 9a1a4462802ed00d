"""Rows of `message` as the append reads and writes them: statements by hand, since each costs every message sent."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from im_infra.sql.expressions import find_by_keys_sql, insert_rows
from im_repo.log.draft import FirstAck, Target

_COLUMNS: Final = (
    "conversation_id",
    "seq",
    "count",
    "message_id",
    "sender_id",
    "client_message_id",
    "digest",
    "ref_seq",
    "type",
    "flags",
    "edit_seq",
    "changed_seq",
    "server_time",
    "body",
)
_IDENTITY: Final = ("conversation_id", "sender_id", "client_message_id")
_FIRST: Final = (*_IDENTITY, "digest", "seq", "count", "message_id", "server_time")
_PLACE: Final = ("conversation_id", "seq")
_TARGET: Final = (*_PLACE, "sender_id", "type", "flags", "server_time")

Identity = tuple[int, int, bytes]
"""Conversation, sender and the sender's id of the message: what makes a send happen once."""
EntryPlace = tuple[int, int]
"""Conversation and seq."""
MessageRow = tuple[int, int, int, int, int, bytes, bytes, int, int, int, int, int, int, bytes]
"""In the order of the table's columns."""


def find_stored(connection: Connection, identities: Iterable[Identity]) -> dict[Identity, FirstAck]:
    """Those of the identities that are stored already. Ask after the conversations are locked."""
    keys = set(identities)
    rows = _find(connection, _FIRST, _IDENTITY, keys)
    return {(row[0], row[1], bytes(row[2])): FirstAck(bytes(row[3]), *row[4:]) for row in rows}


def find_targets(connection: Connection, places: Iterable[EntryPlace]) -> dict[EntryPlace, Target]:
    """The entries at those places; what is absent is left out."""
    keys = set(places)
    if not keys:
        return {}
    return {(row[0], row[1]): Target(*row[2:]) for row in _find(connection, _TARGET, _PLACE, keys)}


def insert_messages(connection: Connection, rows: Sequence[MessageRow]) -> None:
    """Insert entries."""
    insert_rows(connection, "message", _COLUMNS, rows)


def _find(
    connection: Connection, columns: tuple[str, ...], key: tuple[str, ...], keys: set[Identity] | set[EntryPlace]
) -> Sequence[Sequence[Any]]:
    sql = find_by_keys_sql(connection.dialect.name, "message", columns, key, len(keys))
    return connection.exec_driver_sql(sql, tuple(value for one in keys for value in one)).all()
