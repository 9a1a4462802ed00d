"""However rights move, loads linger and streams break: one sender's entries are stored once each, in their order."""

import asyncio
from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import NotStartedError
from im_logic.conversations.cache import ConversationCache
from im_logic.messaging import append_lanes
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import AppendResult
from tests.logic_support.outlet import KeptOutlet
from tests.logic_support.proposals import Entry
from tests.logic_support.scripted_repo import ScriptedRepo, group

CONVERSATION = 5
OFTEN = ["send", "send", "send", "other sends", "answer", "answer", "answer", "answer a read", "deny"]
STEPS = st.lists(st.sampled_from([*OFTEN, "not started", "lose", "turn"]), min_size=10, max_size=60)


class Timers:
    """`call_later` by hand."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.due.append(callback)


async def play(steps: list[str], monkeypatched: Timers) -> tuple[ScriptedRepo, list[Entry], AppendLanes]:
    repo = ScriptedRepo(at_once=False)
    repo.states[CONVERSATION] = group(CONVERSATION, 1, 2)
    clock = ManualClock()
    stream = RepoStream(repo)
    cache = ConversationCache(stream, clock, max_conversations=10)
    lanes = AppendLanes(repo=stream, cache=cache, outlet=KeptOutlet(), clock=clock)
    entries: list[Entry] = []
    for step in ["send", "answer", "answer", *steps]:  # the state is in the cache
        clock.advance(0.001)
        if step == "send":
            entries.append(Entry(1, len(entries) + 1))
            lanes.submit(entries[-1])
        elif step == "other sends":  # its rechecks refresh the state that both are decided by
            entries.append(Entry(2, len(entries) + 1))
            lanes.submit(entries[-1])
        elif step == "answer a read":
            repo.step_read()
        elif step == "answer":
            repo.step()
        elif step == "deny":
            repo.states[CONVERSATION].deny_version += 1
        elif step == "not started" and repo.inbox and repo.inbox[0][0].WhichOneof("request") == "append":
            # A draining peer answers NOT_STARTED to everything it has not started.
            waiting = list(repo.inbox)
            repo.inbox.clear()
            for _, on_answer in waiting:
                on_answer(None, NotStartedError())
        elif step == "lose":
            repo.lose()
        while step == "turn" and monkeypatched.due:
            monkeypatched.due.pop(0)()
    for _ in range(10_000):
        clock.advance(0.001)
        if monkeypatched.due:
            monkeypatched.due.pop(0)()
        elif not repo.step():
            break
    return repo, entries, lanes


@given(steps=STEPS)
@example(["other sends", "deny", "answer", "send", "answer a read", "send"])  # the fence moves under an entry
@example(["send", "send", "deny", "answer", "answer a read", "send"])  # one is decided anew while the next is under way
@settings(max_examples=300, deadline=None)
def test_what_is_stored_is_in_the_senders_order_and_everything_is_answered_once(steps: list[str]) -> None:
    timers = Timers()
    real = append_lanes.asyncio
    append_lanes.asyncio = type("Loop", (), {"get_running_loop": staticmethod(lambda: timers)})  # type: ignore[assignment,attr-defined]
    try:
        repo, entries, lanes = asyncio.run(play(steps, timers))
    finally:
        append_lanes.asyncio = real  # type: ignore[attr-defined]
    for entry in entries:
        assert len(entry.answers) == 1
    for user_id in (1, 2):
        own = [item for item in repo.log.get(CONVERSATION, []) if item.sender_id == user_id]
        stored = [int.from_bytes(item.client_message_id, "big") for item in own]
        assert stored == sorted(set(stored))
    told = [entry for entry in entries if isinstance(entry.answers[0], AppendResult)]
    assert {entry.client_id for entry in told} <= set(repo.texts(CONVERSATION))
    for entry in entries:
        answer = entry.answers[0]
        assert isinstance(answer, AppendResult) or answer.reason is error_table.UNAVAILABLE
    assert not lanes._lanes
