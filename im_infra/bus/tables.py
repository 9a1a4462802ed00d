"""The embedded bus's table: the topics that are not the outbox, the dead letters among them."""

from typing import Final

from sqlalchemy import Column, Index, Table

from im_infra.sql.metadata import METADATA
from im_infra.sql.types import BIG_INT, BLOB, INT, ascii_text, text

BUS_RECORD: Final = Table(
    "bus_record",
    METADATA,
    Column("id", BIG_INT, primary_key=True, autoincrement=True),
    Column("topic", ascii_text(64), nullable=False),
    Column("key", BLOB, nullable=False),
    Column("due_time", BIG_INT, nullable=False, comment="not handed out before, ms since the epoch"),
    Column("attempts", INT, nullable=False),
    Column("error", text(2000), nullable=False),
    Column("headers", text(2000), nullable=False, comment="JSON"),
    Column("body", BLOB, nullable=False),
    Index(None, "topic", "due_time", "id"),
)
