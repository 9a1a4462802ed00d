"""The rows of a new conversation."""

from sqlalchemy import Connection, insert, select

from im_repo.conversations.make import NewConversation, conversation_row, insert_first_members
from im_repo.schema import CONVERSATION, MEMBER, MEMBER_WINDOW


def test_every_column_of_a_new_conversation_is_said() -> None:
    row = conversation_row(NewConversation(conversation_id=1, kind=2), 5)
    assert set(row) == set(CONVERSATION.c.keys())


def test_versions_start_above_what_the_contract_calls_not_asked(connection: Connection) -> None:
    connection.execute(insert(CONVERSATION), conversation_row(NewConversation(conversation_id=1, kind=2), 5))
    row = connection.execute(select(CONVERSATION)).one()
    assert (row.epoch, row.member_version, row.deny_version, row.max_seq, row.last_time) == (1, 1, 1, 0, 5)


def test_first_members_see_the_log_from_its_beginning(connection: Connection) -> None:
    insert_first_members(connection, 1, [7, 8], 5)
    assert connection.execute(select(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state)).all() == [(7, 1, 1), (8, 1, 1)]
    windows = connection.execute(select(MEMBER_WINDOW.c.user_id, MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq))
    assert windows.all() == [(7, 1, 0), (8, 1, 0)]
