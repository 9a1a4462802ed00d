"""Append account events: each user's `pts` is dense, +1, given under the row of `user_state`."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete

from im_infra.sql.rows import find_by_keys, insert_rows, upsert_cells
from im_infra.sql.statements import Statement, read_together, write_together
from im_infra.sql.types import BIG_INT
from im_proto.v1.sync_pb2 import AccountEvent
from im_repo.schema import USER_EVENT

EVENTS_KEPT: Final = 2_000
"""Events kept per user; whoever is further behind reads the whole directory again."""

TRIM_EVERY: Final = 100
"""Old events go once in so many, so that most appends delete nothing: up to EVENTS_KEPT + TRIM_EVERY rows lie there."""


def append_events(connection: Connection, events: Mapping[int, Sequence[AccountEvent]], now: int) -> dict[int, int]:
    """Append events for many users, within the caller's transaction.

    A constant number of statements whatever the number of users; the rows of `user_state` are locked in the order of
    user ids until the transaction ends, which is what keeps `pts` dense. In the lock order of all units this comes
    after conversation, direct, member and cursor.

    Args:
        connection: inside a write transaction.
        events: the changes per user, oldest first; `pts` and `time` are filled in here, not in the caller's messages.
        now: the database's time, milliseconds since the epoch.

    Returns:
        The user's last `pts`: that of the last of their events. Users without events are left out.
    """
    counts = {user_id: len(events[user_id]) for user_id in sorted(events) if events[user_id]}
    if not counts:
        return {}
    dialect = connection.dialect.name
    write_together(connection, [_raise_max_pts(dialect, counts)])
    keys = [(user_id,) for user_id in counts]
    [rows] = read_together(
        connection, [find_by_keys(dialect, "user_state", ("user_id", "max_pts"), ("user_id",), keys)]
    )
    last: dict[int, int] = {row[0]: row[1] for row in rows}
    numbered = [
        (user_id, pts, now, _numbered(event, pts, now))
        for user_id, count in counts.items()
        for pts, event in enumerate(events[user_id], start=last[user_id] - count + 1)
    ]
    write_together(connection, [insert_rows(dialect, "user_event", ("user_id", "pts", "time", "body"), numbered)])
    trimmed = [
        {"of_user_id": user_id, "up_to_pts": last[user_id] - EVENTS_KEPT}
        for user_id, count in counts.items()
        if last[user_id] > EVENTS_KEPT and last[user_id] // TRIM_EVERY != (last[user_id] - count) // TRIM_EVERY
    ]
    if trimmed:
        connection.execute(_TRIM, trimmed)
    return last


def _numbered(event: AccountEvent, pts: int, now: int) -> bytes:
    numbered = AccountEvent()
    numbered.CopyFrom(event)
    numbered.pts = pts
    numbered.time = now
    return numbered.SerializeToString()


def _raise_max_pts(dialect: str, counts: Mapping[int, int]) -> Statement:
    cells, values = upsert_cells(dialect, list(counts.items()), ("", ""))
    change = (
        "ON CONFLICT (user_id) DO UPDATE SET max_pts = user_state.max_pts + excluded.max_pts"
        if dialect == "sqlite"
        else "ON DUPLICATE KEY UPDATE max_pts = user_state.max_pts + VALUES(max_pts)"
    )
    return Statement(f"INSERT INTO user_state (user_id, max_pts) {cells} {change}", values)


_TRIM: Final = delete(USER_EVENT).where(
    USER_EVENT.c.user_id == bindparam("of_user_id"),
    USER_EVENT.c.pts <= bindparam("up_to_pts", type_=BIG_INT),
)
