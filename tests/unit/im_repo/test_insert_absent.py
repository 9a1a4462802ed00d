"""Inserting a row unless its key is there."""

from sqlalchemy import Connection, select

from im_repo.insert_absent import insert_absent
from im_repo.schema import DIRECT


def test_the_first_row_of_a_key_stays_and_the_transaction_goes_on(connection: Connection) -> None:
    assert insert_absent(connection, DIRECT, {"low_user_id": 1, "high_user_id": 2, "conversation_id": 10})
    assert not insert_absent(connection, DIRECT, {"low_user_id": 1, "high_user_id": 2, "conversation_id": 11})
    assert insert_absent(connection, DIRECT, {"low_user_id": 1, "high_user_id": 3, "conversation_id": 12})
    assert connection.scalars(select(DIRECT.c.conversation_id)).all() == [10, 12]
