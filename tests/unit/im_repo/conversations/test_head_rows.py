"""The rows behind heads."""

from typing import Any

from sqlalchemy import Connection, update

from im_proto.v1.conversation_pb2 import (
    CONVERSATION_KIND_DIRECT,
    CONVERSATION_KIND_WORLD,
    MEMBER_ROLE_MEMBER,
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
    MEMBER_STATE_LEFT,
)
from im_repo.conversations.head_rows import HeadsQuery, read_head_rows
from im_repo.conversations.windows import WHOLE_LOG, Window
from im_repo.log.draft import Place
from im_repo.log.member_rows import save_places
from im_repo.schema import CONVERSATION


def test_the_page_is_ordered_by_time_then_id_descending(connection: Connection, seed: Any) -> None:
    for conversation_id, now in ((1, 10), (2, 30), (3, 20), (4, 30)):
        seed.conversation(conversation_id, 7, now=now)
    seed.conversation(5, 8, now=40)
    rows = read_head_rows(connection, HeadsQuery(user_id=7))
    assert [row.conversation_id for row in rows] == [4, 2, 3, 1]
    assert [row.conversation_id for row in read_head_rows(connection, HeadsQuery(user_id=7, limit=2))] == [4, 2]
    later = read_head_rows(connection, HeadsQuery(user_id=7, before=(30, 4)))
    assert [row.conversation_id for row in later] == [2, 3, 1]
    assert [row.conversation_id for row in read_head_rows(connection, HeadsQuery(user_id=7, since_time=20))] == [
        4,
        2,
        3,
    ]
    these = read_head_rows(connection, HeadsQuery(user_id=7, conversation_ids=(1, 4, 5)))
    assert [row.conversation_id for row in these] == [4, 1]


def test_a_row_tells_both_cursors_of_a_pair(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8, kind=CONVERSATION_KIND_DIRECT)
    seed.cursor(7, 1, read_seq=3, read_count=2, hide_seq=1, hide_count=1)
    seed.cursor(8, 1, read_seq=4, received_seq=5)
    [row] = read_head_rows(connection, HeadsQuery(user_id=7))
    assert (row.low_user_id, row.high_user_id, row.peer_read_seq, row.peer_received_seq) == (7, 8, 4, 5)
    assert (row.read_seq, row.read_count, row.hide_seq, row.hide_count) == (3, 2, 1, 1)
    [row] = read_head_rows(connection, HeadsQuery(user_id=8))
    assert (row.read_seq, row.peer_read_seq) == (4, 3)


def test_windows_are_the_users_own(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8)
    seed.member(1, 7, (2, 4), (6, 0), state=MEMBER_STATE_IN)
    [row] = read_head_rows(connection, HeadsQuery(user_id=7))
    assert sorted(row.windows) == [Window(2, 4), Window(6, 0)]


def test_the_world_room_needs_no_row_but_must_be_asked_for(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, now=10)
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD, now=20)
    assert [row.conversation_id for row in read_head_rows(connection, HeadsQuery(user_id=7))] == [1]
    query = HeadsQuery(user_id=7, world_conversation_id=9)
    rows = read_head_rows(connection, query)
    assert (rows[0].conversation_id, rows[0].state, rows[0].windows) == (9, MEMBER_STATE_IN, WHOLE_LOG)
    assert [row.conversation_id for row in rows] == [9, 1]
    narrowed = HeadsQuery(user_id=7, world_conversation_id=9, limit=1)
    assert [row.conversation_id for row in read_head_rows(connection, narrowed)] == [9]
    later = HeadsQuery(user_id=7, world_conversation_id=9, before=(20, 9))
    assert [row.conversation_id for row in read_head_rows(connection, later)] == [1]
    since = HeadsQuery(user_id=7, world_conversation_id=9, since_time=15)
    assert [row.conversation_id for row in read_head_rows(connection, since)] == [9]


def test_only_the_world_room_is_taken_without_a_row(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 8)
    assert read_head_rows(connection, HeadsQuery(user_id=7, world_conversation_id=1)) == []


def test_for_whoever_is_out_a_conversation_moved_last_when_they_went(connection: Connection, seed: Any) -> None:
    seed.conversation(1, 7, 8, now=10)
    seed.say(1, 8)
    went = {7: Place(MEMBER_ROLE_MEMBER, MEMBER_STATE_LEFT, 0, 10)}
    save_places(connection, 1, went, version=2, now=20)
    connection.execute(update(CONVERSATION).values(last_time=30))

    def moved_since(time: int) -> int:
        return len(read_head_rows(connection, HeadsQuery(user_id=7, since_time=time)))

    assert (moved_since(20), moved_since(21)) == (1, 0)
    assert len(read_head_rows(connection, HeadsQuery(user_id=8, since_time=30))) == 1


def test_whoever_is_banned_from_the_world_room_sees_the_place_and_nothing_of_it(
    connection: Connection, seed: Any
) -> None:
    seed.conversation(9, kind=CONVERSATION_KIND_WORLD)
    seed.member(9, 7, state=MEMBER_STATE_BANNED)
    [row] = read_head_rows(connection, HeadsQuery(user_id=7, world_conversation_id=9))
    assert (row.state, list(row.windows)) == (MEMBER_STATE_BANNED, [])
