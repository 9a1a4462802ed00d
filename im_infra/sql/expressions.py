"""The few expressions that the engines write differently."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Integer, Table, func, literal_column
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.sql.dml import Insert

_SQLITE_NOW: Final = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"
_MYSQL_NOW: Final = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"


def now_ms(dialect: str) -> ColumnElement[int]:
    """The database's own time in milliseconds since the epoch, the same throughout a statement."""
    return literal_column(now_ms_sql(dialect), type_=Integer())


def now_ms_sql(dialect: str) -> str:
    """`now_ms` as text, for statements written by hand."""
    return _SQLITE_NOW if dialect == "sqlite" else _MYSQL_NOW


def read_now_ms(connection: Connection) -> int:
    """Ask the database for its time, milliseconds since the epoch."""
    return int(connection.exec_driver_sql(f"SELECT {now_ms_sql(connection.dialect.name)}").scalar_one())


def greatest(dialect: str, *values: Any) -> ColumnElement[Any]:  # noqa: ANN401 - whatever SQLAlchemy takes
    """The greatest of the values; NULL if one is NULL."""
    return func.max(*values) if dialect == "sqlite" else func.greatest(*values)


def upsert(
    dialect: str,
    table: Table,
    *,
    key: Sequence[str],
    change: Callable[[Mapping[str, ColumnElement[Any]]], Mapping[str, Any]],
) -> Insert:
    """An INSERT that changes the row that is already there.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where to.
        key: the columns of the unique key that decides whether the row is there.
        change: what to set on the row that is there, given the columns of the new row by name. MySQL sets them in this
            order, and a later one sees what an earlier one set.
    """
    if dialect == "sqlite":
        statement = sqlite.insert(table)
        new = dict(statement.excluded.items())
        return statement.on_conflict_do_update(index_elements=list(key), set_=dict(change(new)))
    other = mysql.insert(table)
    return other.on_duplicate_key_update(list(change(dict(other.inserted.items())).items()))


def mark(dialect: str) -> str:
    """What stands for a bound value in a statement written by hand."""
    return "?" if dialect == "sqlite" else "%s"


@lru_cache(maxsize=2048)
def find_by_keys_sql(dialect: str, table: str, columns: Sequence[str], key: Sequence[str], count: int) -> str:
    """A SELECT of the rows with one of `count` keys of several columns, each found through its index.

    The obvious `(a, b) IN (VALUES ...)` scans the whole table on SQLite, a join to the values does not; MySQL has it
    the other way round.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where to look.
        columns: what to read; a tuple, since the text is cached.
        key: the columns of the key, a tuple too.
        count: how many keys will be bound, one after the other.
    """
    some = ", ".join(f"t.{column}" for column in columns)
    values = values_sql(dialect, width=len(key), count=count)
    if dialect == "sqlite":
        match = " AND ".join(f"t.{column} = k.column{number}" for number, column in enumerate(key, start=1))
        return f"SELECT {some} FROM (VALUES {values}) AS k CROSS JOIN {table} AS t ON {match}"  # noqa: S608 - names only
    return f"SELECT {some} FROM {table} AS t WHERE ({', '.join(f't.{column}' for column in key)}) IN ({values})"  # noqa: S608 - names only


def insert_rows(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Insert rows with one statement, which is one step of the driver.

    SQLite's driver gives the interpreter's lock away for every step; where the event loop is busy, each of the steps
    of an executemany may wait for it.

    Args:
        connection: inside a write transaction.
        table: where to.
        columns: a tuple, since the statement is cached.
        rows: values in the order of the columns; at most a batch of them.
    """
    if rows:
        sql = _insert_rows_sql(connection.dialect.name, table, columns, len(rows))
        connection.exec_driver_sql(sql, tuple(value for row in rows for value in row))


def update_by_key(
    connection: Connection, table: str, *, key: str, changed: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Update rows by their key: with one statement where the engine can, for the reason of `insert_rows`.

    Args:
        connection: inside a write transaction.
        table: where.
        key: the column of the key.
        changed: the columns to set; a tuple, since the statement is cached.
        rows: the key first, then the new values in the order of `changed`.
    """
    if not rows:
        return
    dialect = connection.dialect.name
    if dialect == "sqlite":
        sql = _update_rows_sql(table, key, changed, len(rows))
        connection.exec_driver_sql(sql, tuple(value for row in rows for value in row))
    else:
        sql = _update_row_sql(dialect, table, key, changed)
        connection.exec_driver_sql(sql, [(*row[1:], row[0]) for row in rows])


def values_sql(dialect: str, *, width: int, count: int) -> str:
    """`(?, ?), (?, ?)`: `count` rows of `width` bound values."""
    return ", ".join(["(" + ", ".join([mark(dialect)] * width) + ")"] * count)


@lru_cache(maxsize=1024)
def _insert_rows_sql(dialect: str, table: str, columns: Sequence[str], count: int) -> str:
    values = values_sql(dialect, width=len(columns), count=count)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 - names only


@lru_cache(maxsize=1024)
def _update_rows_sql(table: str, key: str, changed: Sequence[str], count: int) -> str:
    values = values_sql("sqlite", width=len(changed) + 1, count=count)
    sets = ", ".join(f"{column} = k.column{number}" for number, column in enumerate(changed, start=2))
    return f"UPDATE {table} SET {sets} FROM (VALUES {values}) AS k WHERE {table}.{key} = k.column1"  # noqa: S608 - names


@lru_cache(maxsize=64)
def _update_row_sql(dialect: str, table: str, key: str, changed: Sequence[str]) -> str:
    sets = ", ".join(f"{column} = {mark(dialect)}" for column in changed)
    return f"UPDATE {table} SET {sets} WHERE {key} = {mark(dialect)}"  # noqa: S608 - names only
