"""Find rows by many keys of several columns in one statement, each through its index."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from im_infra.sql.rows import find_by_keys


def find_rows(
    connection: Connection,
    table: str,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    keys: Sequence[tuple[int, ...]],
    *,
    lock: bool = False,
) -> Iterable[Any]:
    """The rows with one of `keys`, as tuples of `columns`, in no promised order.

    Args:
        connection: inside a transaction.
        table: where to look; in backticks where its name is a word of some SQL; all engines take them.
        columns: what to read.
        key: the columns of a key.
        keys: at least one.
        lock: keep the rows locked until the transaction ends, where the engine locks rows.
    """
    sql, values = find_by_keys(connection.dialect.name, table, columns, key, keys)
    if lock and connection.dialect.name != "sqlite":  # there the one writer has the whole file
        sql += " FOR UPDATE"
    return connection.exec_driver_sql(sql, tuple(values))
