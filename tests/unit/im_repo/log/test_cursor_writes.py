"""Cursors that an append moves."""

from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.dialects import mysql

from im_repo.log import cursor_writes
from im_repo.log.cursor_writes import find_last_sends, move_read, set_last_sends, set_read
from im_repo.schema import CURSOR

LOG = 70


def cursor(connection: Connection, user: Any = 1) -> Any:
    row = connection.execute(select(CURSOR).where(CURSOR.c.user_id == user)).one_or_none()
    return row and (row.read_seq, row.read_count, row.received_seq, row.last_send_time)


@pytest.fixture(autouse=True)
def log(seed: Any) -> Any:
    seed.conversation(LOG, 1, 2)
    for type_ in (1, 5, 1):
        seed.say(LOG, 2, type=type_)


def test_reading_moves_up_only_with_the_count_that_stands_there(connection: Connection) -> None:
    move_read(connection, {(1, LOG): 2, (2, LOG): 3})
    assert (cursor(connection, 1), cursor(connection, 2)) == ((2, 1, 0, 0), (3, 2, 0, 0))
    move_read(connection, {(1, LOG): 1, (2, LOG): 3})
    assert (cursor(connection, 1), cursor(connection, 2)) == ((2, 1, 0, 0), (3, 2, 0, 0))
    move_read(connection, {(1, LOG): 3})
    assert cursor(connection, 1) == (3, 2, 0, 0)


def test_what_is_not_there_was_not_read(connection: Connection) -> None:
    move_read(connection, {(1, LOG): 99})
    assert cursor(connection) is None
    move_read(connection, {})


def test_joiners_begin_at_their_entry(connection: Connection, seed: Any) -> None:
    seed.cursor(2, LOG, read_seq=2, read_count=1, received_seq=2)
    set_read(connection, LOG, [1, 2], seq=4, count=2)
    assert (cursor(connection, 1), cursor(connection, 2)) == ((4, 2, 0, 0), (4, 2, 2, 0))
    set_read(connection, LOG, [], seq=9, count=9)


def test_last_sends_are_remembered(connection: Connection, seed: Any) -> None:
    seed.cursor(1, LOG, read_seq=2)
    set_last_sends(connection, {(1, LOG): 50, (2, LOG): 60})
    set_last_sends(connection, {(2, LOG): 70})
    assert find_last_sends(connection, [(1, LOG), (2, LOG), (3, LOG)]) == {(1, LOG): 50, (2, LOG): 70}
    assert cursor(connection)[0] == 2
    assert find_last_sends(connection, []) == {}


def test_mysql_is_written_its_own_way() -> None:
    """Compared as text until there is a member that runs it."""
    text = str(cursor_writes._move_read("mysql").compile(dialect=mysql.dialect()))
    assert text.startswith("INSERT INTO `cursor`")
    assert "SELECT" in text
    assert "ON DUPLICATE KEY UPDATE" in text
