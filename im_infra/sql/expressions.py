"""The few expressions that the engines write differently."""

from collections.abc import Callable, Mapping, Sequence
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
