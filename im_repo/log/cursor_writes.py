"""What an append moves in `cursor`: read cursors of senders and joiners, and the times that slow mode asks for.

Greatest wins, and nothing here grants anything: membership is in `member`. A count never falls while seq rises, so the
greatest of each belong together.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, Integer, bindparam, literal_column, select
from sqlalchemy.sql.dml import Insert

from im_infra.sql.expressions import find_by_keys_sql, greatest, upsert, values_sql
from im_repo.schema import CURSOR, MESSAGE

CursorKey = tuple[int, int]
"""User and conversation."""

_KEY: Final = ("user_id", "conversation_id")
_NAMES: Final = tuple(column.name for column in CURSOR.columns)
_ZERO: Final = literal_column("0", Integer)


def find_last_sends(connection: Connection, keys: Iterable[CursorKey]) -> dict[CursorKey, int]:
    """When each of them last sent, where slow mode is on; who never did is left out."""
    wanted = set(keys)
    if not wanted:
        return {}
    columns = (*_KEY, "last_send_time")
    # CURSOR is a word of MySQL's own; SQLite takes its quotes too.
    sql = find_by_keys_sql(connection.dialect.name, "`cursor`", columns, _KEY, len(wanted))
    rows = connection.exec_driver_sql(sql, tuple(value for key in wanted for value in key))
    return {(row[0], row[1]): row[2] for row in rows}


def move_read(connection: Connection, seen: Mapping[CursorKey, int]) -> None:
    """Move read cursors up to committed entries, with the counts that stand there."""
    if not seen:
        return
    rows = [(user_id, log_id, seq) for (user_id, log_id), seq in sorted(seen.items())]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_move_read_sqlite(len(rows)), tuple(value for row in rows for value in row))
    else:
        names = ("of_user", "of_log", "up_to")
        connection.execute(_move_read(connection.dialect.name), [dict(zip(names, row, strict=True)) for row in rows])


def set_read(connection: Connection, conversation_id: int, user_ids: Iterable[int], *, seq: int, count: int) -> None:
    """Set joiners' read cursors to the entry they come in with, which this transaction has yet to insert."""
    rows = [
        {**dict.fromkeys(_NAMES, 0), "user_id": user_id, "conversation_id": conversation_id, "read_seq": seq,
         "read_count": count}
        for user_id in sorted(user_ids)
    ]  # fmt: skip
    if rows:
        connection.execute(_set_read(connection.dialect.name), rows)


def set_last_sends(connection: Connection, times: Mapping[CursorKey, int]) -> None:
    """Remember when they sent."""
    rows = [
        {**dict.fromkeys(_NAMES, 0), "user_id": user_id, "conversation_id": log_id, "last_send_time": time}
        for (user_id, log_id), time in sorted(times.items())
    ]
    if rows:
        connection.execute(_set_last_sends(connection.dialect.name), rows)


@lru_cache(maxsize=4)
def _set_read(dialect: str) -> Insert:
    return upsert(
        dialect,
        CURSOR,
        key=_KEY,
        change=lambda new: {
            "read_seq": greatest(dialect, CURSOR.c.read_seq, new["read_seq"]),
            "read_count": greatest(dialect, CURSOR.c.read_count, new["read_count"]),
        },
    )


@lru_cache(maxsize=512)
def _move_read_sqlite(count: int) -> str:
    """One step for the whole batch: it runs with nearly every message sent (see `insert_rows`)."""
    said = {
        "user_id": "k.column1",
        "conversation_id": "m.conversation_id",
        "read_seq": "m.seq",
        "read_count": "m.count",
    }
    return (
        f"INSERT INTO cursor ({', '.join(_NAMES)}) "  # noqa: S608 - names only, values are bound
        f"SELECT {', '.join(said.get(name, '0') for name in _NAMES)} "
        f"FROM (VALUES {values_sql('sqlite', width=3, count=count)}) AS k "
        "CROSS JOIN message AS m ON m.conversation_id = k.column2 AND m.seq = k.column3 "
        "WHERE true "  # without it the parser takes ON CONFLICT for a part of the join
        "ON CONFLICT (user_id, conversation_id) DO UPDATE "
        "SET read_seq = excluded.read_seq, read_count = excluded.read_count "
        "WHERE excluded.read_seq > cursor.read_seq"
    )


@lru_cache(maxsize=4)
def _move_read(dialect: str) -> Insert:
    values = {
        **dict.fromkeys(_NAMES, _ZERO),
        "user_id": bindparam("of_user", type_=Integer),
        "conversation_id": MESSAGE.c.conversation_id,
        "read_seq": MESSAGE.c.seq,
        "read_count": MESSAGE.c.count,
    }
    found = select(*values.values()).where(
        MESSAGE.c.conversation_id == bindparam("of_log"), MESSAGE.c.seq == bindparam("up_to")
    )
    return _set_read(dialect).from_select(list(values), found)


@lru_cache(maxsize=4)
def _set_last_sends(dialect: str) -> Insert:
    return upsert(dialect, CURSOR, key=_KEY, change=lambda new: {"last_send_time": new["last_send_time"]})
