"""How far each worker id's times were used: all of it for the embedded registry, a second record besides etcd's."""

from typing import Final

from sqlalchemy import Column, Table

from im_infra.sql.metadata import METADATA
from im_infra.sql.types import BIG_INT, INT

WORKER_LEASE: Final = Table(
    "worker_lease",
    METADATA,
    Column("worker_id", INT, primary_key=True, autoincrement=False),
    Column("high_time", BIG_INT, nullable=False, comment="ids up to this time may have been used, ms since the epoch"),
)
