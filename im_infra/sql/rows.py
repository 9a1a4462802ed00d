"""Statements over many rows at once, by hand: one step of the driver, whatever their number.

SQLite's driver gives the interpreter's lock away for every step; where the event loop is busy, each of the steps of an
executemany may wait for it. And preparing a statement costs as much as running it: so the rows are filled up to a power
of two with rows of NULLs, which match no key and are not inserted, and the few texts there are stay prepared. What is
found comes as one row, a JSON array, since every row is a step, too. MySQL's text protocol prepares nothing, and gets and
gives the rows as they are.

Names of tables and columns come from the code, values are bound by the driver.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from im_infra.sql.statements import Statement

Row = Sequence[object]

_TEXTS: Final = 1_024
"""Texts kept: a handful of kinds, each for every number of rows on MySQL and for powers of two on SQLite."""


def mark(dialect: str) -> str:
    """What stands for a bound value in a statement written by hand."""
    return "?" if dialect == "sqlite" else "%s"


def find_by_keys(
    dialect: str,
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    keys: Sequence[Row],
    *,
    index: str = "PRIMARY",
    binary: bool = False,
) -> Statement:
    """A SELECT of the rows with one of the keys, each found through its index, in no promised order.

    The obvious `(a, b) IN (VALUES ...)` scans the whole table on SQLite, a join to the values does not; MySQL has it
    the other way round.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where to look.
        columns: what to read; a tuple, since the text is cached.
        key: the columns of the key, a tuple too.
        keys: at least one.
        index: the one that begins with the columns of the key, by its name; MySQL weighs all others with these columns
            against it otherwise, which for 128 keys takes ten times as long as finding the rows.
        binary: a column holds bytes, for which JSON has no word: on SQLite each row is a step then.
    """
    count = _filled(dialect, len(keys))
    if dialect != "sqlite":
        return Statement(_find_mysql(dialect, table, columns, key, index, count), _values(keys, count))
    return Statement(
        _find_sqlite(table, columns, key, count, in_one=not binary), _values(keys, count), in_one=not binary
    )


def insert_rows(dialect: str, table: str, columns: Sequence[str], rows: Sequence[Row]) -> Statement:
    """An INSERT.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where to.
        columns: a tuple, since the text is cached; the first is never NULL.
        rows: values in the order of the columns; at least one.
    """
    count = _filled(dialect, len(rows))
    return Statement(_insert_sql(dialect, table, columns, count), _values(rows, count))


def update_rows(
    dialect: str, table: str, columns: Sequence[str], rows: Sequence[Row], *, others: Mapping[str, str]
) -> Statement:
    """An UPDATE of rows that are there for certain, by their primary key.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where.
        columns: the key, then the columns to set; a tuple, since the text is cached.
        rows: values in the order of the columns; at least one. The caller holds their locks.
        others: every other column of the table that has no default, with some literal of its type: MySQL updates many
            rows only by an INSERT that meets them, and what that says of these columns is never stored.
    """
    count = _filled(dialect, len(rows))
    if dialect == "sqlite":
        return Statement(_update_sqlite(table, columns, count), _values(rows, count))
    if count == 1:
        return Statement(_update_one(dialect, table, columns), (*rows[0][1:], rows[0][0]))
    return Statement(_update_mysql(table, columns, tuple(others.items()), count), _values(rows, count))


def delete_by_key(dialect: str, table: str, key: str, keys: Sequence[object]) -> Statement:
    """A DELETE of the rows with one of the keys, of one column; at least one."""
    count = _filled(dialect, len(keys))
    return Statement(_delete_sql(dialect, table, key, count), (*keys, *([None] * (count - len(keys)))))


def in_list(dialect: str, keys: Sequence[object]) -> tuple[str, Sequence[object]]:
    """`(?, ?)` and the values to bind, for IN; at least one."""
    count = _filled(dialect, len(keys))
    return f"({_marks(dialect, count)})", (*keys, *([None] * (count - len(keys))))


def upsert_cells(dialect: str, rows: Sequence[Row], cells: Sequence[str]) -> tuple[str, Sequence[object]]:
    """What follows the columns of an INSERT that goes on with ON CONFLICT or ON DUPLICATE KEY, and the values to bind.

    Args:
        dialect: `sqlite` or `mysql`.
        rows: the bound values; at least one.
        cells: for each column of the INSERT a literal, or empty for the next bound value; a tuple; the first is bound.
    """
    count = _filled(dialect, len(rows))
    return _cells_sql(dialect, cells, count), _values(rows, count)


def _filled(dialect: str, count: int) -> int:
    return 1 << (count - 1).bit_length() if dialect == "sqlite" else count


def _values(rows: Sequence[Row], count: int) -> Sequence[object]:
    values = tuple(chain.from_iterable(rows))
    return values + (None,) * (len(rows[0]) * (count - len(rows)))


def _marks(dialect: str, count: int) -> str:
    return ", ".join([mark(dialect)] * count)


def _rows_sql(dialect: str, *, width: int, count: int) -> str:
    return ", ".join([f"({_marks(dialect, width)})"] * count)


@lru_cache(_TEXTS)
def _find_mysql(dialect: str, table: str, columns: Sequence[str], key: Sequence[str], index: str, count: int) -> str:
    some, this = (", ".join(f"t.{column}" for column in names) for names in (columns, key))
    values = _rows_sql(dialect, width=len(key), count=count)
    return f"SELECT {some} FROM {table} AS t FORCE INDEX ({index}) WHERE ({this}) IN ({values})"  # noqa: S608 - names only


@lru_cache(_TEXTS)
def _find_sqlite(table: str, columns: Sequence[str], key: Sequence[str], count: int, *, in_one: bool) -> str:
    some = ", ".join(f"t.{column}" for column in columns)
    asked = f"json_group_array(json_array({some}))" if in_one else some
    values = _rows_sql("sqlite", width=len(key), count=count)
    match = " AND ".join(f"t.{column} = k.column{number}" for number, column in enumerate(key, start=1))
    return f"SELECT {asked} FROM (VALUES {values}) AS k CROSS JOIN {table} AS t ON {match}"  # noqa: S608 - names only


@lru_cache(_TEXTS)
def _insert_sql(dialect: str, table: str, columns: Sequence[str], count: int) -> str:
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    values = f"VALUES {_rows_sql(dialect, width=len(columns), count=count)}"
    if dialect != "sqlite" or count == 1:
        return f"{into} {values}"
    return f"{into} SELECT * FROM ({values}) WHERE column1 IS NOT NULL"  # noqa: S608 - names only


@lru_cache(_TEXTS)
def _update_sqlite(table: str, columns: Sequence[str], count: int) -> str:
    sets = ", ".join(f"{column} = k.column{number}" for number, column in enumerate(columns[1:], start=2))
    values = _rows_sql("sqlite", width=len(columns), count=count)
    return f"UPDATE {table} SET {sets} FROM (VALUES {values}) AS k WHERE {table}.{columns[0]} = k.column1"  # noqa: S608 - names


@lru_cache(_TEXTS)
def _update_one(dialect: str, table: str, columns: Sequence[str]) -> str:
    sets = ", ".join(f"{column} = {mark(dialect)}" for column in columns[1:])
    return f"UPDATE {table} SET {sets} WHERE {columns[0]} = {mark(dialect)}"  # noqa: S608 - names only


@lru_cache(_TEXTS)
def _update_mysql(table: str, columns: Sequence[str], others: Sequence[tuple[str, str]], count: int) -> str:
    names = ", ".join((*columns, *(name for name, _ in others)))
    row = f"({', '.join((*([mark('mysql')] * len(columns)), *(literal for _, literal in others)))})"
    sets = ", ".join(f"{column} = VALUES({column})" for column in columns[1:])
    return f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * count)} ON DUPLICATE KEY UPDATE {sets}"  # noqa: S608 - names


@lru_cache(_TEXTS)
def _delete_sql(dialect: str, table: str, key: str, count: int) -> str:
    return f"DELETE FROM {table} WHERE {key} IN ({_marks(dialect, count)})"  # noqa: S608 - names only


@lru_cache(_TEXTS)
def _cells_sql(dialect: str, cells: Sequence[str], count: int) -> str:
    bound = [number for number, cell in enumerate(cells) if not cell]
    if dialect != "sqlite":
        row = f"({', '.join(cell or mark(dialect) for cell in cells)})"
        return f"VALUES {', '.join([row] * count)}"
    names = {place: f"k.column{number}" for number, place in enumerate(bound, start=1)}
    chosen = ", ".join(names.get(place, cell) for place, cell in enumerate(cells))
    # Without a WHERE the parser would take ON CONFLICT for a part of the join.
    values = _rows_sql(dialect, width=len(bound), count=count)
    return f"SELECT {chosen} FROM (VALUES {values}) AS k WHERE k.column1 IS NOT NULL"  # noqa: S608 - names only
