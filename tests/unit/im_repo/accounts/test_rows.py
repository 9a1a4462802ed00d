"""Rows as values of the contract."""

from typing import Any

from sqlalchemy import Connection

from im_proto.repo.v1.account_pb2 import SessionRow, UserRow
from im_proto.v1.account_pb2 import USER_KIND_GUEST
from im_repo.accounts.rows import SELECT_SESSION, SELECT_USER, session_of, user_of


def test_the_statements_select_every_field_of_the_contract() -> None:
    assert {column.name for column in SELECT_USER.selected_columns} == {
        field.name for field in UserRow.DESCRIPTOR.fields
    }
    assert {column.name for column in SELECT_SESSION.selected_columns} == {
        field.name for field in SessionRow.DESCRIPTOR.fields
    }


def test_a_guest_has_no_handle(connection: Connection, seed: Any) -> None:
    seed.user(7, kind=USER_KIND_GUEST)
    assert user_of(connection.execute(SELECT_USER).one()) == UserRow(
        user_id=7, display_name="User 7", kind=USER_KIND_GUEST, created_time=1
    )


def test_a_session_row_is_told_whole(connection: Connection, sessions: Any) -> None:
    opened = sessions.open(1).session
    assert session_of(connection.execute(SELECT_SESSION).one()) == opened
