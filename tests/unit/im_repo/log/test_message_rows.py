"""Looking up and inserting entries."""

from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from im_infra.sql.statements import read_together, write_together
from im_repo.log.draft import FirstAck, Target
from im_repo.log.message_rows import (
    counts_answer,
    counts_question,
    insert_messages,
    stored_answer,
    stored_question,
    targets_answer,
    targets_question,
)


def row(seq: Any, client_message_id: Any) -> Any:
    return (70, seq, seq, 100 + seq, 1, client_message_id, b"d" * 16, 0, 1, 4, 0, 0, 55, b"body")


def test_what_was_inserted_is_found_by_identity_and_place(connection: Connection) -> None:
    dialect = connection.dialect.name
    write_together(connection, [insert_messages(dialect, [row(1, b"a" * 16), row(2, b"b" * 16), row(3, b"e" * 16)])])
    identities = [(70, 1, b"b" * 16), (70, 1, b"c" * 16), (70, 2, b"a" * 16)]
    places = [(70, 1), (70, 9), (70, 3)]
    asked = (stored_question(dialect, identities), targets_question(dialect, places), counts_question(dialect, places))
    stored, targets, counts = read_together(connection, asked)
    assert stored_answer(stored) == {(70, 1, b"b" * 16): FirstAck(b"d" * 16, 2, 2, 102, 55)}
    assert targets_answer(targets) == {(70, 1): Target(1, 1, 4, 55), (70, 3): Target(1, 1, 4, 55)}
    assert counts_answer(counts) == {(70, 1): 1, (70, 3): 3}


@pytest.mark.parametrize("again", [row(1, b"z" * 16), row(9, b"a" * 16)])
def test_the_table_itself_refuses_a_second_of_either(connection: Connection, again: Any) -> None:
    """The last line of defence: one entry a place, one a client id."""
    write_together(connection, [insert_messages(connection.dialect.name, [row(1, b"a" * 16)])])
    with pytest.raises(IntegrityError):
        write_together(connection, [insert_messages(connection.dialect.name, [again])])
