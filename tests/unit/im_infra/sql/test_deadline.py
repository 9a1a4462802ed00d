"""Units that take long say so."""

import asyncio
import time

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.util import await_

from im_infra.sql.deadline import allow_time
from im_infra.sql.errors import StoreUnavailableError
from im_infra.sql.mysql import open_mysql
from tests.support.mariadb import MariadbServer


def test_without_a_deadline_there_is_nothing_to_move() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        allow_time(connection, 1)
    engine.dispose()


async def test_a_unit_that_said_so_is_not_given_up(mariadb_server: MariadbServer, mariadb_database: str) -> None:
    """Until the time it asked for is over; the next unit has the usual deadline again."""
    settings = mariadb_server.settings(mariadb_database, unit_timeout_s=0.3, write_connections=1)

    def unit(connection: Connection, *, allowed: float, takes: float) -> str:
        if allowed:
            allow_time(connection, allowed)
        await_(asyncio.sleep(takes))
        return "done"

    async with open_mysql(settings) as database:
        assert await database.write(lambda connection: unit(connection, allowed=5, takes=0.6)) == "done"
        for allowed, takes in ((0.5, 5), (0, 5)):
            started = time.monotonic()
            with pytest.raises(StoreUnavailableError, match=f"within {allowed or 0.3} s"):
                await database.write(lambda c, allowed=allowed, takes=takes: unit(c, allowed=allowed, takes=takes))
            assert time.monotonic() - started < 3
