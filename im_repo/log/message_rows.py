"""Rows of `message` as the append reads and writes them: statements by hand, since each costs every message sent."""

from collections.abc import Collection, Sequence
from typing import Final

from im_infra.sql.at_once import Expression
from im_infra.sql.rows import find_by_keys, insert_rows
from im_infra.sql.statements import Rows, Statement
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
_BY_IDENTITY: Final = "uq_message_conversation_id_sender_id_client_message_id"
_PLACE: Final = ("conversation_id", "seq")
_TARGET: Final = (*_PLACE, "sender_id", "type", "flags", "server_time")

Identity = tuple[int, int, bytes]
"""Conversation, sender and the sender's id of the message: what makes a send happen once."""
EntryPlace = tuple[int, int]
"""Conversation and seq."""
MessageRow = tuple[int, int, int, int, int, bytes, bytes, int, int, int, int, int, int | Expression, bytes]
"""In the order of the table's columns."""
TestedRow = tuple[int, Expression, int, int, int, bytes, bytes, int, int, int, int, int, int | Expression, bytes]
"""The same, where the server puts something to the test before it gives the row its seq."""


def stored_question(dialect: str, identities: Collection[Identity]) -> Statement:
    """Ask which of the identities are stored already: after the conversations are locked."""
    return find_by_keys(dialect, "message", _FIRST, _IDENTITY, list(identities), index=_BY_IDENTITY, binary=True)


def stored_answer(rows: Rows) -> dict[Identity, FirstAck]:
    """What `stored_question` was answered."""
    return {(row[0], row[1], bytes(row[2])): FirstAck(bytes(row[3]), *row[4:]) for row in rows}


def targets_question(dialect: str, places: Collection[EntryPlace]) -> Statement:
    """Ask for the entries at those places."""
    return find_by_keys(dialect, "message", _TARGET, _PLACE, list(places))


def targets_answer(rows: Rows) -> dict[EntryPlace, Target]:
    """What `targets_question` was answered; what is absent is left out."""
    return {(row[0], row[1]): Target(*row[2:]) for row in rows}


def counts_question(dialect: str, places: Collection[EntryPlace]) -> Statement:
    """Ask how many countable entries there are up to those places."""
    return find_by_keys(dialect, "message", (*_PLACE, "count"), _PLACE, list(places))


def counts_answer(rows: Rows) -> dict[EntryPlace, int]:
    """What `counts_question` was answered; what is absent is left out."""
    return {(row[0], row[1]): row[2] for row in rows}


def insert_messages(dialect: str, rows: Sequence[MessageRow | TestedRow]) -> Statement:
    """Insert entries; at least one."""
    return insert_rows(dialect, "message", _COLUMNS, rows)
