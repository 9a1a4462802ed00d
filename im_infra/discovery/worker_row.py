"""The rows behind worker leases: units of work over `worker_lease`."""

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from im_infra.discovery.tables import WORKER_LEASE
from im_infra.ids.snowflake import MAX_WORKERS
from im_infra.sql.expressions import greatest, upsert


class TakenWorker(NamedTuple):
    """A worker id and the times it may use: above `floor_time`, up to `high_time`, both in ms since the epoch."""

    worker_id: int
    floor_time: int
    high_time: int


def take_worker(connection: Connection, now_ms: int, high_time: int) -> TakenWorker | None:
    """Take the lowest worker id whose recorded time has passed, else one never used; None when there is none.

    An id is taken only once its recorded time has passed, so after a restart (or a crash, or a clock that went back)
    the next id is taken, and times of ids stay near the wall clock instead of running ahead by a window each time.
    """
    row = connection.execute(
        select(WORKER_LEASE.c.worker_id, WORKER_LEASE.c.high_time)
        .where(WORKER_LEASE.c.high_time <= now_ms)
        .order_by(WORKER_LEASE.c.worker_id)
        .limit(1)
        .with_for_update()
    ).first()
    if row is not None:
        connection.execute(
            update(WORKER_LEASE).where(WORKER_LEASE.c.worker_id == row.worker_id).values(high_time=high_time)
        )
        return TakenWorker(row.worker_id, row.high_time, high_time)
    highest = connection.execute(select(func.max(WORKER_LEASE.c.worker_id))).scalar()
    worker_id = 0 if highest is None else highest + 1
    if worker_id >= MAX_WORKERS:
        return None
    connection.execute(insert(WORKER_LEASE).values(worker_id=worker_id, high_time=high_time))
    return TakenWorker(worker_id, 0, high_time)


def read_worker(connection: Connection, worker_id: int) -> int | None:
    """The high time that is recorded of a worker id; None: it was never used."""
    return connection.scalar(select(WORKER_LEASE.c.high_time).where(WORKER_LEASE.c.worker_id == worker_id))


def claim_worker(connection: Connection, worker_id: int, now_ms: int, high_time: int) -> int | None:
    """Record a later time for a worker id whose recorded time has passed; gives that one, 0 where there was none.

    None: the recorded time has not passed, so somebody may be making ids under it.
    """
    dialect = connection.dialect.name
    connection.execute(
        upsert(
            dialect,
            WORKER_LEASE,
            key=["worker_id"],
            change=lambda new: {"high_time": greatest(dialect, WORKER_LEASE.c.high_time, new["high_time"])},
        ),
        {"worker_id": worker_id, "high_time": 0},
    )
    this = WORKER_LEASE.c.worker_id == worker_id
    recorded = int(connection.execute(select(WORKER_LEASE.c.high_time).where(this).with_for_update()).scalar_one())
    if recorded > now_ms:
        return None
    connection.execute(update(WORKER_LEASE).where(this).values(high_time=high_time))
    return recorded


def extend_worker(connection: Connection, worker_id: int, expected_high_time: int, high_time: int) -> bool:
    """Record a later time for a worker id, unless somebody else recorded one since; says whether it was done."""
    changed = connection.execute(
        update(WORKER_LEASE)
        .where(WORKER_LEASE.c.worker_id == worker_id, WORKER_LEASE.c.high_time == expected_high_time)
        .values(high_time=high_time)
    )
    return changed.rowcount == 1
