"""The time below which no id is made any more."""

from sqlalchemy import Connection, func, select

from im_repo.clock import tick
from im_repo.id_floor import lift_id_floor, read_id_floor
from im_repo.schema import CLOCK


def test_there_is_none_at_first(connection: Connection) -> None:
    assert read_id_floor(connection) == 0
    tick(connection)
    assert read_id_floor(connection) == 0


def test_it_is_only_lifted(connection: Connection) -> None:
    lift_id_floor(connection, 7_000)
    lift_id_floor(connection, 5_000)
    assert read_id_floor(connection) == 7_000


def test_the_clock_goes_on_beside_it(connection: Connection) -> None:
    generation = tick(connection)
    lift_id_floor(connection, 7_000)
    assert tick(connection) == generation
    assert read_id_floor(connection) == 7_000
    assert connection.scalar(select(func.count()).select_from(CLOCK)) == 1
