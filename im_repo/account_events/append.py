"""Append account events: each user's `pts` is dense, +1, given under the row of `user_state`."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.sql.dml import Insert

from im_infra.sql.expressions import upsert
from im_infra.sql.types import BIG_INT
from im_proto.v1.sync_pb2 import AccountEvent
from im_repo.schema import USER_EVENT, USER_STATE

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
    connection.execute(
        _raise_max_pts(connection.dialect.name),
        [{"user_id": user_id, "max_pts": count} for user_id, count in counts.items()],
    )
    last = _read_max_pts(connection, list(counts))
    connection.execute(
        insert(USER_EVENT),
        [
            {"user_id": user_id, "pts": pts, "time": now, "body": _numbered(event, pts, now)}
            for user_id, count in counts.items()
            for pts, event in enumerate(events[user_id], start=last[user_id] - count + 1)
        ],
    )
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


def _read_max_pts(connection: Connection, user_ids: Sequence[int]) -> dict[int, int]:
    rows = connection.execute(
        select(USER_STATE.c.user_id, USER_STATE.c.max_pts).where(USER_STATE.c.user_id.in_(user_ids))
    )
    return {row.user_id: row.max_pts for row in rows}


@cache
def _raise_max_pts(dialect: str) -> Insert:
    return upsert(
        dialect,
        USER_STATE,
        key=["user_id"],
        change=lambda new: {"max_pts": USER_STATE.c.max_pts + new["max_pts"]},
    )


_TRIM: Final = delete(USER_EVENT).where(
    USER_EVENT.c.user_id == bindparam("of_user_id"),
    USER_EVENT.c.pts <= bindparam("up_to_pts", type_=BIG_INT),
)
