"""Comparing two databases: for each table a checksum per conversation or user, or one of the whole table.

Rows are read in the order of the key on both sides, so the groups come in the same order, and no more than one batch of
rows is held.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import BINARY, Table

from im_repo.transfer.key_order import Key, Row, key_of

Read = Callable[[Key | None], Awaitable[list[Row]]]
"""The rows after a key; none at the end."""

GROUPED_BY: Final = frozenset({"conversation_id", "user_id"})
_MOST: Final = 10
"""So many differences are told."""


class Checksum(NamedTuple):
    """Of the rows of one conversation or user in a table."""

    group: Any
    """Its id; None: the whole table."""
    rows: int
    digest: bytes


class Compared(NamedTuple):
    """A table that was read on both sides."""

    rows: int
    groups: int
    differences: list[str]


async def checksums(table: Table, read: Read) -> AsyncIterator[Checksum]:
    """The checksums of a table's groups, in the order of the key."""
    group, rows, digest = None, 0, hashlib.blake2b(digest_size=16)
    after: Key | None = None
    pad = _padding(table)
    grouped = group_name(table) is not None
    while batch := await read(after):
        for row in batch:
            this = row[0] if grouped else None
            if this != group and rows:
                yield Checksum(group, rows, digest.digest())
                rows, digest = 0, hashlib.blake2b(digest_size=16)
            group = this
            rows += 1
            digest.update(repr(tuple(map(_padded, row, pad))).encode())
        after = key_of(table, batch[-1])
    if rows:
        yield Checksum(group, rows, digest.digest())


async def compare(table: Table, source: Read, target: Read, *, told: Callable[[int], None]) -> Compared:
    """Compare a table's checksums.

    Args:
        table: which.
        source: reads it on one side.
        target: reads it on the other.
        told: is told the rows of each group of the source that was compared.
    """
    theirs = checksums(table, target)
    rows, groups, differences = 0, 0, list[str]()
    there = await anext(theirs, None)
    async for here in checksums(table, source):
        while there is not None and here.group is not None and there.group < here.group:
            differences.append(_difference(table, there.group, 0, there.rows))
            there = await anext(theirs, None)
        met = there if there is not None and there.group == here.group else None
        if met != here:
            differences.append(_difference(table, here.group, here.rows, met.rows if met else 0))
        if met is not None:
            there = await anext(theirs, None)
        rows, groups = rows + here.rows, groups + 1
        told(here.rows)
        if len(differences) >= _MOST:
            return Compared(rows, groups, differences)
    while there is not None and len(differences) < _MOST:
        differences.append(_difference(table, there.group, 0, there.rows))
        there = await anext(theirs, None)
    return Compared(rows, groups, differences)


def group_name(table: Table) -> str | None:
    """`conversation_id` or `user_id` where the key begins with it; None: the table is one group."""
    name = next(iter(table.primary_key.columns)).name
    return name if name in GROUPED_BY else None


def _difference(table: Table, group: Any, here: int, there: int) -> str:  # noqa: ANN401 - an id of any kind
    where = "" if group is None else f" of {group_name(table)} {group}"
    counts = f"{here} rows were sent, {there} arrived" if here != there else f"{here} rows, not all the same"
    return f"{table.name}{where}: {counts}"


def _padding(table: Table) -> list[int]:
    """The lengths of columns that a server fills up with zeros where a value is shorter; 0: as it is."""
    return [column.type.length or 0 if isinstance(column.type, BINARY) else 0 for column in table.columns]


def _padded(value: Any, length: int) -> Any:  # noqa: ANN401 - of any column
    return value.ljust(length, b"\0") if length and isinstance(value, bytes) else value
