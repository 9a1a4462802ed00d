"""The one row of `clock`: how far the database's time has come, and how often it went back.

Times in rows and sync cursors come from the database. If its clock is set back, "what moved since" would miss things;
so a step back of more than 30 s makes another generation, under which every old `since` counts as "everything". Smaller
steps are covered by the overlap that syncs ask with.
"""

import asyncio
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, func, insert, select, update

from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.sql.abstract import Database
from im_infra.sql.expressions import now_ms, read_now_ms
from im_repo.schema import CLOCK

_LOG: Final = logs.get(__name__)

CLOCK_ROW_ID: Final = 1
STEP_BACK_MS: Final = 30_000


def next_reading(now: int, *, high_time: int, generation: int) -> tuple[int, int]:
    """The next (high_time, generation), times in milliseconds since the epoch."""
    if now < high_time - STEP_BACK_MS:
        return now, generation + 1
    return max(now, high_time), generation


class Moment(NamedTuple):
    """The database's time, milliseconds since the epoch, and the generation of its clock."""

    time: int
    generation: int


def read_moment(connection: Connection) -> Moment:
    """Now; generation 0: the clock has not ticked yet."""
    time, generation = connection.execute(_moment(connection.dialect.name)).one()
    return Moment(time, generation)


@cache
def _moment(dialect: str) -> Select[Any, Any]:
    generation = select(CLOCK.c.generation).limit(1).scalar_subquery()
    return select(now_ms(dialect), func.coalesce(generation, 0))


def tick(connection: Connection) -> int:
    """Write the database's time down and return the generation."""
    now = read_now_ms(connection)
    row = connection.execute(
        select(CLOCK.c.high_time, CLOCK.c.generation).where(CLOCK.c.id == CLOCK_ROW_ID).with_for_update()
    ).one_or_none()
    if row is None:
        connection.execute(insert(CLOCK), {"id": CLOCK_ROW_ID, "high_time": now, "generation": 1})
        return 1
    high_time, generation = next_reading(now, high_time=row.high_time, generation=row.generation)
    connection.execute(
        update(CLOCK).where(CLOCK.c.id == CLOCK_ROW_ID).values(high_time=high_time, generation=generation)
    )
    return generation


def start_generation(connection: Connection) -> None:
    """Let every `since` that clients hold count as "everything": after a restore."""
    tick(connection)
    connection.execute(update(CLOCK).where(CLOCK.c.id == CLOCK_ROW_ID).values(generation=CLOCK.c.generation + 1))


async def keep_clock(database: Database, *, interval_s: float) -> None:
    """Tick until cancelled; failures of the database are logged and tried again.

    Args:
        database: where the row is.
        interval_s: seconds between ticks.
    """
    last = 0
    while True:
        try:
            generation = await database.write(tick)
        except ImError as error:
            _LOG.warning("clock not written", reason=error.reason.name, error=error.message)
        else:
            if last and generation != last:
                _LOG.warning("the database's clock went back", generation=generation)
            last = generation
        await asyncio.sleep(interval_s)
