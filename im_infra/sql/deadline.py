"""A unit that takes long by its nature says so: elsewhere a unit that does not end is given up."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

DEADLINE: Final = "im_infra.sql.deadline"
"""Where a connection whose units have a deadline keeps what moves it, in `Connection.info`."""


def allow_time(connection: Connection, seconds: float) -> None:
    """Give the unit that runs on `connection` this long from now on; without a deadline it has all the time there is."""
    move: Callable[[float], None] | None = connection.info.get(DEADLINE)
    if move is not None:
        move(seconds)
