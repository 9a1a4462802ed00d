"""A conversation as caches keep it."""

from typing import Any

import pytest
from sqlalchemy import Connection, update

from im_infra.errors import ImError
from im_infra.sql.expressions import read_now_ms
from im_repo.log.fanout_class import FanoutBounds
from im_repo.log.load_conversation import MAX_EXCEPTIONS, load_conversation
from im_repo.schema import CONVERSATION, MEMBER

LOG = 70


@pytest.fixture
def load(connection: Connection) -> Any:
    return lambda user_id=0: load_conversation(connection, LOG, user_id=user_id, bounds=FanoutBounds())


def users(state: Any) -> Any:
    return [row.user_id for row in state.members]


def test_a_private_chat_names_its_two(seed: Any, load: Any) -> None:
    seed.conversation(LOG, 8, 3, kind=1)
    state = load()
    assert (state.kind, state.status, state.low_user_id, state.high_user_id) == (1, 1, 3, 8)
    assert users(state) == [3, 8]
    assert [(window.from_seq, window.to_seq) for window in state.members[0].windows] == [(1, 0)]


def test_a_small_group_comes_with_who_is_in_or_just_left(connection: Connection, seed: Any, load: Any) -> None:
    seed.conversation(LOG, 1, 2, 3, 4, title="hikers", slow_mode_ms=5)
    now = read_now_ms(connection)
    for user, left in ((3, now - 1_000), (4, now - 60_000)):
        seed.member(LOG, user, (1, 5), state=2)
        connection.execute(update(MEMBER).where(MEMBER.c.user_id == user).values(left_time=left))
    state = load()
    assert users(state) == [1, 2, 3]
    assert (state.title, state.slow_mode_ms, state.member_version, state.deny_version) == ("hikers", 5, 1, 1)
    assert users(load(4)) == [1, 2, 3, 4]


def test_a_large_group_comes_with_the_one_asked_for(connection: Connection, seed: Any, load: Any) -> None:
    seed.conversation(LOG, 1, 2, fanout=2, fanout_time=1)
    assert users(load()) == []
    assert users(load(2)) == [2]
    assert users(load(9)) == []
    connection.execute(update(CONVERSATION).values(fanout_time=read_now_ms(connection)))
    assert users(load()) == [1, 2]


def test_a_large_group_s_members_are_no_exceptions(seed: Any, load: Any) -> None:
    seed.conversation(LOG, 1, 2, fanout=2, fanout_time=1)
    assert not load(1).exceptions_listed


def test_the_world_room_comes_with_all_who_differ(seed: Any, load: Any) -> None:
    seed.conversation(LOG, kind=3, fanout=2)
    assert load(5).exceptions_listed
    seed.member(LOG, 5, (1, 7), (9, 11), state=4)
    seed.member(LOG, 6, state=1)
    for asked_for in (0, 5, 9):
        state = load(asked_for)
        assert state.exceptions_listed
        assert users(state) == [5, 6]
        assert [(window.from_seq, window.to_seq) for window in state.members[0].windows] == [(1, 7), (9, 11)]
        assert not state.members[1].windows


def test_a_world_room_with_too_many_who_differ_tells_of_the_one_asked_for(seed: Any, load: Any) -> None:
    seed.conversation(LOG, kind=3, fanout=2)
    for user in range(1, MAX_EXCEPTIONS + 1):
        seed.member(LOG, user, (1, 7), state=4)
    assert len(users(load())) == MAX_EXCEPTIONS
    seed.member(LOG, MAX_EXCEPTIONS + 1, (1, 7), state=4)
    state = load(8)
    assert not state.exceptions_listed
    assert users(state) == [8]
    assert users(load(MAX_EXCEPTIONS + 2)) == []


def test_there_is_none(load: Any) -> None:
    with pytest.raises(ImError) as caught:
        load()
    assert caught.value.reason.name == "CONVERSATION_NOT_FOUND"
