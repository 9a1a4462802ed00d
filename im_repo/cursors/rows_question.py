"""Ask for rows by many keys of several columns in one statement, each found through its index."""

from collections.abc import Sequence

from im_infra.sql.rows import find_by_keys
from im_infra.sql.statements import Statement


def rows_question(
    dialect: str,
    table: str,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    keys: Sequence[tuple[int, ...]],
    *,
    lock: bool = False,
) -> Statement:
    """A SELECT of the rows with one of `keys`, in no promised order.

    Args:
        dialect: `sqlite` or `mysql`.
        table: where to look; in backticks where its name is a word of some SQL; all engines take them.
        columns: what to read.
        key: the columns of a key.
        keys: at least one.
        lock: keep the rows locked until the transaction ends, where the engine locks rows.
    """
    question = find_by_keys(dialect, table, columns, key, keys)
    if lock and dialect != "sqlite":  # there the one writer has the whole file
        return Statement(f"{question.sql} FOR UPDATE", question.values)
    return question
