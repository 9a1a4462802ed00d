"""The floor of ids: a time at or below which none is made any more.

Where history comes from somewhere else (a backup, another cluster), ids are out there that nothing here remembers. So
what brings it lifts the floor above all of them, and every worker lease begins above the floor.
"""

from typing import Final

from sqlalchemy import Connection, select, update

from im_infra.sql.expressions import greatest
from im_repo.clock import CLOCK_ROW_ID, tick
from im_repo.schema import CLOCK

_THIS: Final = CLOCK.c.id == CLOCK_ROW_ID


def read_id_floor(connection: Connection) -> int:
    """The floor, milliseconds since the epoch; 0: there is none."""
    return connection.scalar(select(CLOCK.c.id_floor_time).where(_THIS)) or 0


def lift_id_floor(connection: Connection, time: int) -> None:
    """Lift it to `time` (milliseconds since the epoch), unless it lies above.

    Processes that make ids already are not told: lift it before any starts.
    """
    tick(connection)
    lifted = greatest(connection.dialect.name, CLOCK.c.id_floor_time, time)
    connection.execute(update(CLOCK).where(_THIS).values(id_floor_time=lifted))
