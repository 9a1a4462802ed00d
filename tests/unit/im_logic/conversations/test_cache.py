import asyncio

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation, ConversationKind, Membership
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.conversation_pb2 import ConversationState, MemberRow, Window
from tests.logic_support.scripted_repo import ScriptedRepo, group


class Bench:
    def __init__(self, *, at_once: bool = False, **limits: int) -> None:
        self.repo = ScriptedRepo(at_once=at_once)
        self.repo.states[5] = group(5, 1, 2)
        self.clock = ManualClock()
        self.cache = ConversationCache(RepoStream(self.repo), self.clock, **{"max_conversations": 3, **limits})
        self.loaded: list[Conversation | ImError | None] = []

    def load(self, conversation_id: int = 5, user_id: int = 1, *, since: float | None = None) -> None:
        self.cache.load(conversation_id, user_id, lambda state, error: self.loaded.append(state or error), since=since)


def world(*user_ids: int) -> ConversationState:
    """Where these have rows."""
    state = large(*user_ids)
    state.kind, state.member_count, state.exceptions_listed = ConversationKind.WORLD, 0, True
    return state


def large(*user_ids: int) -> ConversationState:
    state = group(5, *user_ids)
    state.fanout, state.member_count = 2, 900
    return state


def test_however_many_wait_it_is_loaded_once() -> None:
    bench = Bench()
    for user_id in (1, 2, 1):
        bench.load(user_id=user_id)
    bench.repo.step()
    assert (bench.repo.loads, len(bench.loaded)) == (1, 3)
    assert bench.cache.get(5, 2) is bench.loaded[0]


def test_who_needs_what_came_later_gets_a_load_of_their_own() -> None:
    bench = Bench()
    bench.load()
    bench.clock.advance(1)
    bench.load(since=bench.clock.monotonic())
    bench.repo.states[5].deny_version = 9
    bench.repo.step()
    assert len(bench.loaded) == 1
    bench.repo.step()
    first, second = bench.loaded
    assert isinstance(second, Conversation)
    assert second.deny_version == 9
    assert isinstance(first, Conversation)
    assert second.asked_at > first.asked_at


def test_of_a_large_conversation_each_row_is_loaded_on_its_own() -> None:
    bench = Bench()
    bench.repo.states[5] = large(1)
    bench.load(user_id=1)
    bench.load(user_id=2)
    while bench.repo.step():
        pass
    assert (bench.repo.loads, len(bench.loaded)) == (2, 2)
    assert bench.cache.get(5, 1) is not None
    assert bench.cache.get(5, 2) is not None
    assert bench.cache.get(5, 3) is None


def test_one_load_tells_everybody_s_place_in_the_world_room() -> None:
    bench = Bench()
    bench.repo.states[5] = banned = world(2)
    banned.members[0].state = Membership.BANNED
    bench.load(user_id=1)
    bench.load(user_id=2)
    bench.repo.step()
    assert (bench.repo.loads, len(bench.loaded)) == (1, 2)
    found = bench.cache.get(5, 3)
    assert found is not None
    assert [found.place(user_id).state for user_id in (1, 2, 3)] == [Membership.IN, Membership.BANNED, Membership.IN]
    assert not found.complete, "nobody could say who is in"
    bench.load(user_id=4, since=bench.clock.monotonic())
    bench.load(user_id=6)
    bench.repo.step()
    assert (bench.repo.loads, len(bench.loaded)) == (2, 4), "and again when it is wanted anew"


def test_whoever_no_longer_differs_in_the_world_room_is_in_again() -> None:
    bench = Bench()
    bench.repo.states[5] = banned = world(2)
    banned.members[0].state = Membership.BANNED
    bench.load(user_id=2)
    bench.repo.step()
    bench.repo.states[5] = world()
    bench.load(user_id=1, since=bench.clock.monotonic())
    bench.repo.step()
    found = bench.cache.get(5, 2)
    assert found is not None
    assert found.place(2).state == Membership.IN


def test_a_world_room_with_too_many_who_differ_is_asked_for_each() -> None:
    bench = Bench()
    bench.repo.states[5] = world()
    bench.load(user_id=1)
    bench.repo.step()
    many = bench.repo.states[5] = world(2)
    many.members[0].state = Membership.BANNED
    many.exceptions_listed = False
    bench.load(user_id=2, since=bench.clock.monotonic())
    bench.repo.step()
    found = bench.cache.get(5, 2)
    assert found is not None
    assert found.place(2).state == Membership.BANNED
    assert bench.cache.get(5, 3) is None, "it may differ"


def test_rows_are_forgotten_when_a_right_was_taken_away() -> None:
    bench = Bench(at_once=True)
    bench.repo.states[5] = large(1)
    bench.load(user_id=1)
    bench.repo.states[5] = large(2)
    bench.repo.states[5].deny_version = 2
    bench.load(user_id=2)
    assert bench.cache.get(5, 2) is not None
    assert bench.cache.get(5, 1) is None


def test_an_older_answer_that_comes_later_does_not_replace_a_newer_state() -> None:
    bench = Bench(at_once=True)
    bench.repo.states[5].member_version = 4
    bench.load()
    bench.repo.states[5].member_version = 3
    bench.load()
    state = bench.cache.get(5, 1)
    assert state is not None
    assert state.member_version == 4


def test_the_conversation_unused_for_longest_goes_first() -> None:
    bench = Bench(at_once=True)
    for conversation_id in range(5, 9):
        bench.repo.states[conversation_id] = group(conversation_id, 1)
        bench.load(conversation_id)
        bench.cache.get(5, 1)
    assert len(bench.cache) == 3
    assert bench.cache.get(5, 1) is not None
    assert bench.cache.get(6, 1) is None


async def test_a_fetch_takes_what_is_young_enough() -> None:
    bench = Bench(at_once=True)
    first = await bench.cache.fetch(5, 1)
    bench.clock.advance(5)
    assert await bench.cache.fetch(5, 1, max_age_s=10) is first
    assert await bench.cache.fetch(5, 1, max_age_s=4) is not first


async def test_a_fetch_raises_what_the_load_failed_with_and_forgets_the_state() -> None:
    bench = Bench(at_once=True)
    await bench.cache.fetch(5, 1)
    del bench.repo.states[5]
    bench.clock.advance(1)
    with pytest.raises(ImError) as caught:
        await bench.cache.fetch(5, 1)
    assert caught.value.reason is error_table.CONVERSATION_NOT_FOUND
    assert not len(bench.cache)


async def test_a_cancelled_fetch_leaves_the_load_to_the_others() -> None:
    bench = Bench()
    waiting = asyncio.create_task(bench.cache.fetch(5, 1))
    await asyncio.sleep(0)
    bench.load()
    waiting.cancel()
    await asyncio.sleep(0)
    bench.repo.step()
    assert len(bench.loaded) == 1


def test_too_many_rows_of_one_conversation_are_dropped() -> None:
    bench = Bench(at_once=True, max_places=2)
    for user_id in (1, 2, 3):
        state = large()
        state.members.append(MemberRow(user_id=user_id, role=1, state=1, windows=[Window(from_seq=1)]))
        bench.repo.states[5] = state
        bench.load(user_id=user_id)
    assert bench.cache.get(5, 3) is not None
    assert bench.cache.get(5, 1) is None


async def test_a_load_that_fails_for_a_while_keeps_what_there_is() -> None:
    bench = Bench(at_once=True)
    known = await bench.cache.fetch(5, 1)
    bench.clock.advance(1)
    bench.repo.failures.append(ImError(error_table.UNAVAILABLE))
    with pytest.raises(ImError):
        await bench.cache.fetch(5, 1)
    assert bench.cache.get(5, 1) is known


async def test_a_private_chat_is_fresh_at_any_age_unless_the_present_is_asked_for() -> None:
    bench = Bench(at_once=True)
    bench.repo.states[5] = ConversationState(
        conversation_id=5, kind=1, status=1, fanout=1, low_user_id=1, high_user_id=2
    )
    known = await bench.cache.fetch(5, 1)
    bench.clock.advance(1_000)
    assert bench.cache.get_fresh(5, 1, max_age_s=1) is known
    assert bench.cache.get_fresh(5, 1, max_age_s=0) is None
