"""Rows of members and their stays."""

from typing import Any

from sqlalchemy import Connection

from im_repo.conversations.windows import WHOLE_LOG, Window
from im_repo.log.draft import Place
from im_repo.log.member_rows import (
    close_windows,
    find_places,
    find_successor,
    find_windows,
    open_windows,
    save_places,
)

LOG = 70


def test_places_are_written_new_or_changed(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1)
    places = {1: Place(2, 1, 5, 6), 2: Place(1, 2, 0, 7)}
    save_places(connection, LOG, places, version=3, now=99)
    assert find_places(connection, LOG, [2, 1, 3]) == places


def test_stays_open_and_end(connection: Connection) -> None:
    open_windows(connection, LOG, [1, 2], from_seq=3)
    close_windows(connection, LOG, [1], to_seq=5)
    open_windows(connection, LOG, [1], from_seq=8)
    assert find_windows(connection, LOG, 1, kind=2) == (Window(3, 5), Window(8, 0))
    assert find_windows(connection, LOG, 2, kind=2) == (Window(3, 0),)
    assert find_windows(connection, LOG, 3, kind=2) == ()


def test_a_stay_that_begins_again_is_open_again(connection: Connection) -> None:
    open_windows(connection, LOG, [1], from_seq=1)
    close_windows(connection, LOG, [1], to_seq=5)
    open_windows(connection, LOG, [1], from_seq=1)
    assert find_windows(connection, LOG, 1, kind=2) == (Window(1, 0),)


def test_the_world_room_is_open_to_who_is_not_out(connection: Connection, seed: Any) -> None:
    assert find_windows(connection, LOG, 1, kind=3) == WHOLE_LOG
    seed.member(LOG, 1, (1, 4), state=4)
    assert find_windows(connection, LOG, 1, kind=3) == (Window(1, 4),)
    seed.member(LOG, 1, (1, 4), state=1)
    assert find_windows(connection, LOG, 1, kind=3) == WHOLE_LOG


def test_a_successor_is_somebody_who_stays(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1, 2)
    seed.member(LOG, 3, state=2)
    assert find_successor(connection, LOG, [1]) == 2
    assert find_successor(connection, LOG, [1, 2]) is None
