"""Greatest wins."""

from typing import Any

from sqlalchemy import Connection, select

from im_repo.cursors.raise_cursors import CursorTarget, raise_cursors
from im_repo.cursors.standings import Place
from im_repo.schema import CURSOR

HERE = Place(7, 1)


def stored(connection: Connection) -> tuple[int, ...]:
    of = CURSOR.c
    row = connection.execute(
        select(of.read_seq, of.read_count, of.received_seq, of.hide_seq, of.settings).where(of.user_id == HERE.user_id)
    ).one()
    return tuple(row)


def test_a_cursor_is_made(connection: Connection) -> None:
    raise_cursors(connection, [CursorTarget(HERE, 3, 2, 4), CursorTarget(Place(8, 1), received_seq=1)])
    assert stored(connection) == (3, 2, 4, 0, 0)


def test_lower_targets_change_nothing_and_the_count_goes_with_its_seq(connection: Connection) -> None:
    raise_cursors(connection, [CursorTarget(HERE, 5, 4, 5)])
    raise_cursors(connection, [CursorTarget(HERE, 3, 9, 4)])
    assert stored(connection) == (5, 4, 5, 0, 0)
    raise_cursors(connection, [CursorTarget(HERE, received_seq=8)])
    assert stored(connection) == (5, 4, 8, 0, 0)
    raise_cursors(connection, [CursorTarget(HERE, 6, 4, 6)])
    assert stored(connection) == (6, 4, 8, 0, 0)


def test_other_columns_stay(connection: Connection, seed: Any) -> None:
    seed.cursor(7, 1, hide_seq=2, settings=1)
    raise_cursors(connection, [CursorTarget(HERE, 3, 3, 3)])
    assert stored(connection) == (3, 3, 3, 2, 1)
