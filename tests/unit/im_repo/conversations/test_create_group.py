"""Making groups."""

import pytest
from sqlalchemy import Connection, select

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.conversations.create_group import create_group
from im_repo.schema import CONVERSATION

OPERATION, DIGEST = bytes(16), b"d" * 16


def create(connection: Connection, new_id: int, *, user_id: int = 7, digest: bytes = DIGEST) -> int:
    return create_group(
        connection, user_id, title="Tea", operation_id=OPERATION, digest=digest, new_id=new_id, now=5
    )  # fmt: skip


def test_a_group_begins_with_an_owner_and_without_members(connection: Connection) -> None:
    assert create(connection, 100) == 100
    row = connection.execute(select(CONVERSATION)).one()
    assert (row.kind, row.title, row.owner_id, row.member_count, row.fanout) == (2, "Tea", 7, 0, 1)


def test_the_same_operation_makes_it_once(connection: Connection) -> None:
    assert create(connection, 100) == 100
    assert create(connection, 101) == 100
    assert create(connection, 102, user_id=8) == 102
    assert connection.scalars(select(CONVERSATION.c.conversation_id)).all() == [100, 102]


def test_the_same_operation_with_other_content_is_a_conflict(connection: Connection) -> None:
    create(connection, 100)
    with pytest.raises(ImError) as caught:
        create(connection, 101, digest=b"x" * 16)
    assert caught.value.reason is error_table.CONFLICT
