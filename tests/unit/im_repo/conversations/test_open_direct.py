"""Opening private conversations."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.account_events.read import read_events
from im_repo.conversations.open_direct import OpenedDirect, find_direct, open_direct
from im_repo.schema import CONVERSATION, DIRECT, MEMBER, MEMBER_WINDOW


def test_the_first_opening_makes_it_for_both(connection: Connection, seed: Any) -> None:
    seed.user(7, 8)
    assert open_direct(connection, 8, 7, new_id=100, now=5) == OpenedDirect(100, created=True)
    conversation = connection.execute(select(CONVERSATION)).one()
    assert (conversation.kind, conversation.member_count, conversation.last_time) == (1, 2, 5)
    assert connection.execute(select(MEMBER.c.user_id, MEMBER.c.state)).all() == [(7, 1), (8, 1)]
    assert connection.execute(select(MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq)).all() == [(1, 0), (1, 0)]
    for user_id in (7, 8):
        [event] = read_events(connection, user_id, after_pts=0).events
        assert event.joined.conversation_id == 100


def test_it_is_found_again_from_either_side(connection: Connection, seed: Any) -> None:
    seed.user(7, 8)
    open_direct(connection, 7, 8, new_id=100, now=5)
    assert open_direct(connection, 8, 7, new_id=101, now=6) == OpenedDirect(100, created=False)
    assert find_direct(connection, 7, 8) == find_direct(connection, 8, 7) == 100
    assert read_events(connection, 8, after_pts=0).max_pts == 1


def test_the_note_to_self_has_one_member(connection: Connection, seed: Any) -> None:
    seed.user(7)
    assert open_direct(connection, 7, 7, new_id=100, now=5).created
    assert connection.scalars(select(MEMBER.c.user_id)).all() == [7]
    assert connection.scalar(select(CONVERSATION.c.member_count)) == 1
    assert read_events(connection, 7, after_pts=0).max_pts == 1


def test_nobody_talks_to_a_user_who_does_not_exist(connection: Connection, seed: Any) -> None:
    seed.user(7)
    with pytest.raises(ImError) as caught:
        open_direct(connection, 7, 8, new_id=100, now=5)
    assert caught.value.reason is error_table.USER_NOT_FOUND
    assert connection.scalar(select(func.count()).select_from(DIRECT)) == 0


def test_two_who_open_at_once_get_one_conversation(engine: Engine, seed_in: Any) -> None:
    with engine.begin() as connection:
        seed_in(connection).user(7, 8)

    def open_it(number: int) -> OpenedDirect:
        with engine.begin() as connection:
            return open_direct(connection, 7 + number % 2, 8 - number % 2, new_id=100 + number, now=5)

    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(open_it, range(12)))
    assert len({one.conversation_id for one in opened}) == 1
    assert [one.created for one in opened].count(True) == 1
