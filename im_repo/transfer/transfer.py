"""Carrying all tables from one database into another, to be gone on with after any interruption."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, insert

from im_infra.sql.abstract import Database
from im_repo.migrations.upgrade import HEAD, upgrade
from im_repo.schema import TABLES
from im_repo.transfer import bookkeeping
from im_repo.transfer.bookkeeping import Position
from im_repo.transfer.checksums import Compared, compare, group_name
from im_repo.transfer.errors import DifferenceError
from im_repo.transfer.key_order import Key, Row, key_of, read_batch
from im_repo.transfer.source import Source

BATCH_ROWS: Final = 500
"""Rows a transaction: 32 MiB where every message is as large as it may be."""

Told = Callable[[str, int], None]
"""Told a table's name and how many rows more are done."""


class CarriedTable(NamedTuple):
    """A table that is the same on both sides."""

    name: str
    rows: int
    groups: int
    grouped_by: str | None
    """What has a checksum of its own: `conversation_id` or `user_id`; None: the table as a whole."""


class Transfer:
    """Carries a source into a target. Each step may be cut short and done again.

    Args:
        source: what is carried.
        target: where to: an empty database, or one with a transfer of the same source under way.
        batch_rows: rows a transaction.
    """

    def __init__(self, source: Source, target: Database, *, batch_rows: int = BATCH_ROWS) -> None:
        self._source = source
        self._target = target
        self._batch_rows = batch_rows
        self._positions: dict[str, Position] = {}

    @property
    def counts(self) -> dict[str, int]:
        """Rows to carry by table, in the order in which they go; those that have arrived among them."""
        return {table.name: self._source.counts[table.name] for table in TABLES}

    @property
    def arrived(self) -> dict[str, int]:
        """Rows that have arrived, by table; known once it is prepared."""
        return {name: position.row_count for name, position in self._positions.items()}

    async def prepare(self) -> None:
        """Make the schema where there is none, and find how far an earlier run has come.

        Raises:
            NotEmptyError, OtherSourceError: the target cannot take this source; nothing was changed.
            SchemaError: the target is not ours, or of another version.
            ImError: a database cannot be reached.
        """
        fingerprint = self._source.fingerprint
        if not await self._target.read(bookkeeping.is_begun):
            if not await self._target.read(bookkeeping.is_announced):
                await self._target.write(upgrade)
            await self._target.write(lambda connection: bookkeeping.begin(connection, fingerprint))
        self._positions = await self._target.read(
            lambda connection: bookkeeping.positions(connection, fingerprint, HEAD)
        )

    async def carry(self, told: Told) -> None:
        """Carry what has not arrived yet.

        Raises:
            OtherSourceError: somebody else carries data into the target at the same time.
            ImError: a database failed; whatever was committed is known, so that another run goes on there.
        """
        for table in TABLES:
            position = self._positions[table.name]
            while rows := await self._source.read(table, position.key, limit=self._batch_rows):
                after = Position(key_of(table, rows[-1]), position.row_count + len(rows))
                await self._target.write(_storing(table, rows, position, after))
                position = self._positions[table.name] = after
                told(table.name, len(rows))

    async def verify(self, told: Told) -> list[CarriedTable]:
        """Read every row again on both sides, and compare.

        Raises:
            DifferenceError: they differ, in rows or in their number.
            ImError: a database failed.
        """
        carried: list[CarriedTable] = []
        differences: list[str] = []
        for table in TABLES:
            compared = await self._compare(table, told)
            differences += compared.differences
            carried.append(CarriedTable(table.name, compared.rows, compared.groups, group_name(table)))
        if differences:
            raise DifferenceError(differences)
        return carried

    async def end(self) -> None:
        """Let the target be served. Only after `verify`."""
        await self._target.write(bookkeeping.end)

    async def _compare(self, table: Table, told: Told) -> Compared:
        limit = self._batch_rows

        def sent(after: Key | None) -> Awaitable[list[Row]]:
            return self._source.read(table, after, limit=limit)

        def arrived(after: Key | None) -> Awaitable[list[Row]]:
            return self._target.read(lambda connection: read_batch(connection, table, after, limit=limit))

        compared = await compare(table, sent, arrived, told=lambda rows: told(table.name, rows))
        expected = self._source.counts[table.name]
        if not compared.differences and compared.rows != expected:
            compared.differences.append(f"{table.name}: {expected} rows at the beginning, {compared.rows} at the end")
        return compared


def _storing(table: Table, rows: list[Row], before: Position, after: Position) -> Callable[[Connection], None]:
    names = [column.name for column in table.columns]
    values = [dict(zip(names, row, strict=True)) for row in rows]

    def store(connection: Connection) -> None:
        bookkeeping.advance(connection, table, before, after)
        connection.execute(insert(table), values)

    return store
