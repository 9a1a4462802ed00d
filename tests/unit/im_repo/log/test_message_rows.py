"""Looking up and inserting entries."""

from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from im_repo.log.draft import FirstAck, Target
from im_repo.log.message_rows import find_stored, find_targets, insert_messages


def row(seq: Any, client_message_id: Any) -> Any:
    return (70, seq, seq, 100 + seq, 1, client_message_id, b"d" * 16, 0, 1, 4, 0, 0, 55, b"body")


def test_what_was_inserted_is_found_by_identity_and_place(connection: Connection) -> None:
    insert_messages(connection, [row(1, b"a" * 16), row(2, b"b" * 16)])
    found = find_stored(connection, [(70, 1, b"b" * 16), (70, 1, b"c" * 16), (70, 2, b"a" * 16)])
    assert found == {(70, 1, b"b" * 16): FirstAck(b"d" * 16, 2, 2, 102, 55)}
    assert find_targets(connection, [(70, 1), (70, 9)]) == {(70, 1): Target(1, 1, 4, 55)}
    assert find_targets(connection, []) == {}


@pytest.mark.parametrize("again", [row(1, b"z" * 16), row(9, b"a" * 16)])
def test_the_table_itself_refuses_a_second_of_either(connection: Connection, again: Any) -> None:
    """The last line of defence: one entry a place, one a client id."""
    insert_messages(connection, [row(1, b"a" * 16)])
    with pytest.raises(IntegrityError):
        insert_messages(connection, [again])
