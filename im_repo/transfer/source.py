"""What is carried: the rows of the source as they shall be in the target, and how to know that it is the same source."""

import hashlib
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, Table, func, select

from im_infra.discovery.tables import WORKER_LEASE
from im_infra.ids.snowflake import snowflake_time_ms
from im_infra.sql.abstract import Database
from im_repo.migrations.upgrade import require_head
from im_repo.schema import CLOCK, CONVERSATION, MESSAGE, SESSION, TABLES, USER
from im_repo.transfer.key_order import Key, Row, read_batch

_IDS: Final = (CONVERSATION.c.conversation_id, MESSAGE.c.message_id, USER.c.user_id, SESSION.c.session_id)
_WILD_MS: Final = 86_400_000
"""Times further ahead of the source's clock than a day were made while some clock was wrong: nothing comes near them."""


class Source:
    """The data as it is sent.

    Args:
        database: at the newest revision; nothing writes to it.
        fingerprint: of its state: another one means that its cluster ran in between.
        counts: rows by table name.
        id_floor_time: above all times that ids were made with, milliseconds since the epoch.
    """

    def __init__(self, database: Database, fingerprint: str, counts: dict[str, int], id_floor_time: int) -> None:
        self._database = database
        self.fingerprint = fingerprint
        self.counts = counts
        self._id_floor_time = id_floor_time

    @classmethod
    async def open(cls, database: Database) -> "Source":
        """Look at the source.

        Raises:
            SchemaError: it is not at this version's revision.
            ImError: it cannot be read.
        """

        def look(connection: Connection) -> Source:
            require_head(connection)
            counts = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES}
            return cls(database, _fingerprint(connection), counts, _id_floor_time(connection))

        return await database.read(look)

    async def read(self, table: Table, after: Key | None, *, limit: int) -> list[Row]:
        """As `read_batch`; the new cluster's ids begin above those that were given, whatever its registry remembers."""
        rows = await self._database.read(lambda connection: read_batch(connection, table, after, limit=limit))
        if table is CLOCK:
            place = list(CLOCK.columns).index(CLOCK.c.id_floor_time)
            return [(*row[:place], self._id_floor_time, *row[place + 1 :]) for row in rows]
        return rows


def _fingerprint(connection: Connection) -> str:
    """Each process that ran on the data has moved its clock or taken a worker id."""
    digest = hashlib.blake2b(digest_size=16)
    for table in (CLOCK, WORKER_LEASE):
        for row in read_batch(connection, table, None, limit=2_000):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _id_floor_time(connection: Connection) -> int:
    now, floor = connection.execute(select(func.max(CLOCK.c.high_time), func.max(CLOCK.c.id_floor_time))).one()
    leased = connection.scalars(select(WORKER_LEASE.c.high_time))
    largest = (connection.scalar(select(func.max(column))) for column in _IDS)
    made = (snowflake_time_ms(largest_id) for largest_id in largest if largest_id)
    return _greatest((floor or 0, *leased, *made), below=(now or 0) + _WILD_MS)


def _greatest(times: Iterable[int], *, below: int) -> int:
    return max((time for time in times if time <= below), default=0)
