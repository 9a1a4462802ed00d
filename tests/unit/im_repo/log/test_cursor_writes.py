"""Cursors that an append moves."""

from typing import Any

from sqlalchemy import Connection, select

from im_infra.sql.statements import read_together, write_together
from im_repo.log.cursor_writes import CursorMoves, last_sends_answer, last_sends_question
from im_repo.schema import CURSOR

LOG = 70


def write(connection: Connection, moves: CursorMoves) -> None:
    write_together(connection, moves.take(connection.dialect.name))


def cursors(connection: Connection) -> Any:
    """(read_seq, read_count, received_seq, last_send_time) of each user."""
    return {
        row.user_id: (row.read_seq, row.read_count, row.received_seq, row.last_send_time)
        for row in connection.execute(select(CURSOR))
    }


def test_reading_moves_up_only_with_the_count_that_belongs_to_it(connection: Connection) -> None:
    """Within a batch as between batches."""
    moves = CursorMoves()
    for seq, count in ((2, 1), (1, 0), (5, 4), (3, 2)):
        moves.read((1, LOG), seq, count)
    moves.read((2, LOG), 3, 2)
    write(connection, moves)
    assert cursors(connection) == {1: (5, 4, 0, 0), 2: (3, 2, 0, 0)}
    moves.read((1, LOG), 4, 3)
    moves.read((2, LOG), 7, 5)
    write(connection, moves)
    assert cursors(connection) == {1: (5, 4, 0, 0), 2: (7, 5, 0, 0)}


def test_other_columns_stay(connection: Connection, seed: Any) -> None:
    seed.cursor(1, LOG, read_seq=2, read_count=1, received_seq=2, settings=1, hide_seq=1)
    moves = CursorMoves()
    moves.read((1, LOG), 4, 2)
    moves.sent((1, LOG), 50)
    write(connection, moves)
    row = connection.execute(select(CURSOR)).one()
    assert (row.read_seq, row.received_seq, row.settings, row.hide_seq, row.last_send_time) == (4, 2, 1, 1, 50)


def test_last_sends_are_remembered_without_moving_what_is_read(connection: Connection, seed: Any) -> None:
    seed.cursor(1, LOG, read_seq=2, read_count=2)
    moves = CursorMoves()
    moves.sent((1, LOG), 50)
    moves.sent((2, LOG), 60)
    moves.sent((2, LOG), 70)
    write(connection, moves)
    assert cursors(connection) == {1: (2, 2, 0, 50), 2: (0, 0, 0, 70)}
    question = last_sends_question(connection.dialect.name, [(1, LOG), (2, LOG), (3, LOG)])
    [rows] = read_together(connection, [question])
    assert last_sends_answer(rows) == {(1, LOG): 50, (2, LOG): 70}


def test_many_rows_are_one_statement_in_the_order_of_their_keys(connection: Connection) -> None:
    """Whatever their number; what was taken is not written again."""
    moves = CursorMoves()
    for user in range(20, 0, -1):
        moves.read((user, LOG), user, user)
    [statement] = moves.take(connection.dialect.name)
    write_together(connection, [statement])
    assert [value for value in statement.values[::5] if value is not None] == list(range(1, 21))
    assert cursors(connection) == {user: (user, user, 0, 0) for user in range(1, 21)}
    assert moves.take(connection.dialect.name) == []
