"""Heads."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_DIRECT,
    CONVERSATION_KIND_WORLD,
    MEMBER_STATE_IN,
    MEMBER_STATE_LEFT,
    MEMBER_STATE_REMOVED,
    Conversation,
    Head,
)
from im_repo.conversations.head_rows import HeadsQuery
from im_repo.conversations.read_heads import read_heads


def head_of(connection: Connection, user_id: int, conversation_id: int, *, world: int = 0) -> Head:
    query = HeadsQuery(user_id=user_id, conversation_ids=(conversation_id,), world_conversation_id=world)
    [head] = read_heads(connection, query).heads
    return head


def test_a_head_tells_the_conversation_and_where_its_log_stands(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8, title="Tea", now=30, max_seq=0)
    for text in ("one", "two", "three"):
        seed.say(1, 8, text)
    seed.cursor(7, 1, read_seq=1, read_count=1)
    head = head_of(connection, 7, 1)
    assert head.conversation == Conversation(
        conversation_id=1, kind=2, title="Tea", status=1, epoch=1, min_seq=1, member_count=2, role=1, state=1,
        active_time=30,
    )  # fmt: skip
    assert (head.max_seq, head.read_seq, head.unread, head.mentioned) == (3, 1, 2, False)
    assert head.last_message.content.text.text == "three"


def test_a_private_chat_names_the_peer_and_their_cursors(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8, kind=CONVERSATION_KIND_DIRECT)
    seed.say(1, 7)
    seed.cursor(8, 1, read_seq=1, read_count=1, received_seq=1)
    head = head_of(connection, 7, 1)
    assert (head.conversation.peer_id, head.peer_read_seq, head.peer_received_seq) == (8, 1, 1)
    assert head_of(connection, 8, 1).conversation.peer_id == 7


def test_the_note_to_self_names_the_caller(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, kind=CONVERSATION_KIND_DIRECT)
    assert head_of(connection, 7, 1).conversation.peer_id == 7


@pytest.mark.parametrize("state", [MEMBER_STATE_LEFT, MEMBER_STATE_REMOVED])
def test_a_conversation_that_was_left_shows_what_was_seen(connection: Connection, seed: Any, state: int) -> None:
    seed.conversation(1, 7, 8)
    for text in ("one", "two", "three", "four"):
        seed.say(1, 8, text, mentions=(7,))
    seed.member(1, 7, (1, 2), state=state)
    head = head_of(connection, 7, 1)
    assert (head.conversation.state, head.max_seq, head.last_message.content.text.text) == (state, 2, "two")
    assert (head.unread, head.mentioned) == (0, False)
    # neither how many are in now, nor when they wrote
    assert (head.conversation.member_count, head.conversation.active_time) == (0, head.last_message.server_time)


def test_a_conversation_that_was_left_unspoken_was_never_active(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.say(1, 8)
    seed.member(1, 7, state=MEMBER_STATE_LEFT)
    assert head_of(connection, 7, 1).conversation.active_time == 0


def test_a_second_stay_hides_what_lies_between(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for _ in range(9):
        seed.say(1, 8, mentions=(7,))
    seed.member(1, 7, (1, 3), (8, 0), state=MEMBER_STATE_IN)
    seed.cursor(7, 1, read_seq=2, read_count=2)
    head = head_of(connection, 7, 1)
    assert (head.max_seq, head.unread, head.mentioned) == (9, 2, True)


def test_hidden_and_purged_history_is_neither_unread_nor_shown(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    for _ in range(4):
        seed.say(1, 8)
    seed.cursor(7, 1, hide_seq=4, hide_count=4)
    head = head_of(connection, 7, 1)
    assert (head.max_seq, head.unread, head.HasField("last_message")) == (4, 0, False)
    seed.say(1, 8, "after")
    assert (head_of(connection, 7, 1).unread, head_of(connection, 7, 1).last_message.seq) == (1, 5)


def test_the_world_room_counts_no_members(connection: Connection, seed: Any) -> None:
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD, fanout=2, member_count=3)
    seed.say(9, 8, "hello")
    head = head_of(connection, 7, 9, world=9)
    assert (head.conversation.member_count, head.conversation.large, head.unread) == (0, True, 1)
    assert head.last_message.seq == 1


def test_strangers_are_told_nothing(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    assert read_heads(connection, HeadsQuery(user_id=9, conversation_ids=(1,))).heads == []


def test_pages_follow_each_other_without_gap_or_overlap(connection: Connection, seed: Any) -> None:
    for conversation_id in range(1, 24):
        seed.conversation(conversation_id, 7, now=conversation_id // 3)
    seen: list[int] = []
    before, pages = None, 0
    while True:
        page = read_heads(connection, HeadsQuery(user_id=7, before=before, limit=5))
        seen += [head.conversation.conversation_id for head in page.heads]
        before, pages = page.last, pages + 1
        if before is None:
            break
    assert seen == list(range(23, 0, -1))
    assert pages == 5


def test_a_page_that_ends_with_the_list_is_the_last(connection: Connection, seed: Any) -> None:
    for conversation_id in range(1, 5):
        seed.conversation(conversation_id, 7)
    assert read_heads(connection, HeadsQuery(user_id=7, limit=4)).last is None
    assert read_heads(connection, HeadsQuery(user_id=7, limit=3)).last == (1, 2)


def test_the_number_of_statements_does_not_grow_with_the_conversations(connection: Connection, seed: Any) -> None:
    for conversation_id in range(1, 31):
        seed.conversation(conversation_id, 7, 8)
        seed.say(conversation_id, 8, mentions=(7,))
    statements: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    page = read_heads(connection, HeadsQuery(user_id=7, limit=30))
    assert len(page.heads) == 30
    assert all(head.unread == 1 and head.mentioned and head.last_message.seq == 1 for head in page.heads)
    assert len(statements) == 4  # the page with its windows, counts, mentions, last messages
