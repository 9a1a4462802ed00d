"""Lanes over a scripted repo; the order under any interleaving is a property test's."""

from typing import Any

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError, NotStartedError
from im_logic.conversations.cache import ConversationCache
from im_logic.messaging.append_lanes import MAX_HELD, AppendLanes
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import APPEND_STATUS_DUPLICATE, APPEND_STATUS_STORED
from tests.logic_support.outlet import KeptOutlet
from tests.logic_support.proposals import Entry
from tests.logic_support.scripted_repo import ScriptedRepo, group


class Bench:
    """Lanes with everything around them in the test's hands."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.repo = ScriptedRepo(at_once=at_once)
        self.repo.states[5] = group(5, 1, 2)
        self.clock = ManualClock()
        stream = RepoStream(self.repo)
        self.outlet = KeptOutlet()
        self.cache = ConversationCache(stream, self.clock, max_conversations=10)
        self.lanes = AppendLanes(
            repo=stream,
            cache=self.cache,
            outlet=self.outlet,
            clock=self.clock,
        )

    def submit(self, entry: Entry) -> Entry:
        self.clock.advance(0.001)
        self.lanes.submit(entry)
        return entry


def test_an_entry_whose_conversation_is_cached_is_on_its_way_within_the_call() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    loads = bench.repo.loads
    assert bench.submit(Entry(1, 2)).result.status == APPEND_STATUS_STORED
    assert bench.repo.loads == loads
    assert len(bench.outlet.stored_results) == 2


def test_a_refusal_is_given_from_a_state_asked_for_after_the_entry_came() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    loads = bench.repo.loads
    refused = bench.submit(Entry(1, 2, refusal=error_table.MUTED))
    assert refused.error.reason is error_table.MUTED
    assert bench.repo.loads == loads + 1


def test_a_limit_is_told_at_once() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    loads = bench.repo.loads
    assert bench.submit(Entry(1, 2, refusal=error_table.RATE_LIMITED)).error.reason is error_table.RATE_LIMITED
    assert bench.repo.loads == loads


def test_a_retry_is_looked_up_before_it_is_refused() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    again = bench.submit(Entry(1, 1, refusal=error_table.MUTED, look_up=True))
    assert again.result.status == APPEND_STATUS_DUPLICATE
    assert [result.seq for result in bench.outlet.repeated_results] == [1]
    fresh = bench.submit(Entry(1, 2, refusal=error_table.MUTED, look_up=True))
    assert fresh.error.reason is error_table.MUTED


def test_an_unknown_conversation_is_told() -> None:
    bench = Bench()
    assert bench.submit(Entry(1, 1, conversation_id=6)).error.reason is error_table.CONVERSATION_NOT_FOUND


def test_a_moved_fence_is_decided_anew_and_the_third_time_given_up() -> None:
    bench = Bench(at_once=False)
    entry = bench.submit(Entry(1, 1))
    bench.repo.step()  # the load
    for _ in range(2):
        bench.repo.states[5].deny_version += 1
        bench.repo.step()  # sent back
        bench.repo.step()  # the load
    assert entry.sent_back == 2
    bench.repo.states[5].deny_version += 1
    bench.repo.step()
    assert entry.error.reason is error_table.UNAVAILABLE
    assert bench.lanes.sent_back == 3
    assert not bench.lanes._lanes


def test_an_answer_under_a_newer_fence_throws_the_state_away() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    loads = bench.repo.loads
    bench.repo.states[5].deny_version += 1
    bench.submit(Entry(1, 1))  # stored before: repo answers without looking at the fence
    assert bench.repo.loads == loads
    bench.submit(Entry(1, 2))
    assert bench.repo.loads == loads + 1
    assert bench.lanes.sent_back == 0


async def test_what_was_not_started_goes_out_again_at_once() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    bench.repo.failures.append(NotStartedError())
    entry = bench.submit(Entry(1, 2))
    await bench.repo.turn(lambda: entry.count)
    assert entry.result.seq == 2


async def test_an_outcome_that_is_unknown_is_asked_again_and_happens_once() -> None:
    bench = Bench(at_once=False)
    entry = bench.submit(Entry(1, 1))
    bench.repo.step()
    bench.repo.lose()
    await bench.repo.turn(lambda: entry.count)
    assert entry.result.seq == 1
    assert len(bench.repo.texts(5)) == 1


async def test_without_any_repo_the_sender_hears_of_it_in_the_end() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    bench.repo.ready = False
    entry = bench.submit(Entry(1, 2))
    await bench.repo.turn(lambda: entry.count)
    assert entry.error.reason is error_table.UNAVAILABLE


def test_a_lane_holds_so_many_and_no_more() -> None:
    bench = Bench(at_once=False)
    entries = [bench.submit(Entry(1, number)) for number in range(1, MAX_HELD + 2)]
    assert entries[-1].error.reason is error_table.OVERLOADED
    assert not entries[-2].count


def test_an_error_of_repo_is_told_as_it_is() -> None:
    bench = Bench()
    bench.submit(Entry(1, 1))
    bench.repo.failures.append(ImError(error_table.SLOW_MODE, retry_after_ms=70))
    entry = bench.submit(Entry(1, 2))
    assert (entry.error.reason, entry.error.retry_after_ms) == (error_table.SLOW_MODE, 70)


def test_a_bug_in_one_entry_is_answered_and_the_next_goes_on() -> None:
    bench = Bench()
    broken = Entry(1, 1)
    broken.word = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
    assert bench.submit(broken).error.reason is error_table.INTERNAL
    assert bench.submit(Entry(1, 2)).result.seq == 1


@pytest.mark.parametrize("broken", ["proposal", "outlet"])
def test_a_bug_in_what_becomes_of_a_stored_entry_does_not_hold_what_is_behind_it(broken: str) -> None:
    bench = Bench(at_once=False)
    first = bench.submit(Entry(1, 1))
    bench.repo.step()  # the load
    bench.cache.drop(5)
    second = bench.submit(Entry(1, 2))
    bench.repo.step_read()  # the load again: the second now waits for the first alone
    place: Any = {"proposal": first, "outlet": bench.outlet}[broken]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "stored", lambda *_: 1 / 0)
        bench.repo.step()
    bench.repo.step()
    assert second.result.seq == 2
    assert not bench.lanes._lanes
