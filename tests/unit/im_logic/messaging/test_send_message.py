"""The limits of sends, and what a message asks of repo; the whole path is tested over a real one."""

from dataclasses import replace
from typing import Any

import pytest

from im_infra import error_table
from im_infra.clock import ManualClock, SystemClock
from im_infra.errors import ImError
from im_logic.asker import Asker, Origin
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import ConversationKind
from im_logic.messaging.append_lanes import AppendLanes
from im_logic.messaging.send_message import SendLimits, SendMessage
from im_logic.messaging.settings import MessagingSettings
from im_logic.repo_stream import RepoStream
from im_proto.v1.message_pb2 import SendRequest
from tests.logic_support.gateways import KeptResponder
from tests.logic_support.message_cluster import new_id, text
from tests.logic_support.outlet import KeptOutlet
from tests.logic_support.scripted_repo import ScriptedRepo, group
from tests.logic_support.states import conversation

SETTINGS = MessagingSettings(sends_per_user_burst=2, sends_per_group_s=3, sends_per_huge_s=1, huge_members=2)
ASKER = Asker(1, 2, Origin("gw", "b1", 1))


class Bench:
    def __init__(self) -> None:
        self.repo = ScriptedRepo()
        self.repo.states[5] = group(5, 1, 2)
        self.clock = ManualClock(now_ms=SystemClock().now_ms())  # ids are made by the wall clock
        stream = RepoStream(self.repo)
        self.seen: list[tuple[int, int, int]] = []
        self.lanes = AppendLanes(
            repo=stream,
            cache=ConversationCache(stream, self.clock, max_conversations=10),
            outlet=KeptOutlet(),
            clock=self.clock,
        )
        self.send = SendMessage(
            lanes=self.lanes, on_seen=lambda *seen: self.seen.append(seen), clock=self.clock, settings=SETTINGS
        )

    def submit(self, *, asker: Asker = ASKER, **more: Any) -> KeptResponder:
        self.clock.advance(0.000_001)
        fields = {"conversation_id": 5, "client_message_id": new_id(), "content": text("hi"), "attempt": 1, **more}
        responder = KeptResponder()
        self.send.send(asker, SendRequest(**fields), responder)
        return responder


def test_a_message_counts_and_carries_the_fence() -> None:
    bench = Bench()
    responder = bench.submit(ref_seq=3)
    assert responder.frame is not None
    (item,) = bench.repo.log[5]
    assert (item.countable, item.type, item.ref_seq, item.deny_version, item.sender_id) == (True, 1, 3, 1, 1)
    assert not item.HasField("guards")


def test_slow_mode_is_repos_to_decide() -> None:
    bench = Bench()
    bench.repo.states[5].slow_mode_ms = 700
    bench.submit()
    assert bench.repo.log[5][0].guards.min_gap_ms == 700


def test_a_repeated_message_costs_nothing_and_reads_nothing() -> None:
    bench = Bench()
    again = new_id()
    for attempt in (1, 2, 3):
        responder = bench.submit(client_message_id=again, attempt=attempt, seen_seq=9)
        assert responder.frame is not None
        assert responder.frame.send.duplicate == (attempt > 1)
    assert bench.seen == [(1, 5, 9)]
    assert bench.submit().frame is not None
    refused = bench.submit()
    assert refused.error is not None
    assert refused.error.reason is error_table.RATE_LIMITED
    answered = bench.submit(client_message_id=again, attempt=2)
    assert answered.frame is not None


def test_the_user_and_the_conversation_have_buckets_of_their_own() -> None:
    limits = SendLimits(SETTINGS)
    small, huge = conversation(1, 2), conversation(1, 2, 3)
    direct = replace(small, kind=ConversationKind.DIRECT)
    for user_id in range(1, 3):
        limits.take(Asker(user_id, 2, ASKER.origin), huge, 5.0)
    with pytest.raises(ImError, match="conversation"):
        limits.take(Asker(3, 2, ASKER.origin), huge, 5.0)
    limits.take(Asker(3, 2, ASKER.origin), direct, 5.0)
    limits.take(Asker(3, 2, ASKER.origin), direct, 5.0)  # the refusal before had counted nothing
    with pytest.raises(ImError, match="too many"):
        limits.take(Asker(3, 2, ASKER.origin), direct, 5.0)
    limits.take(Asker(3, 2, ASKER.origin, exempt=True), direct, 5.0)


def test_an_exempt_user_still_shares_the_conversations_bucket() -> None:
    limits = SendLimits(SETTINGS)
    exempt = Asker(1, 2, ASKER.origin, exempt=True)
    limits.take(exempt, conversation(1, 2, 3), 5.0)
    limits.take(exempt, conversation(1, 2, 3), 5.0)
    with pytest.raises(ImError):
        limits.take(exempt, conversation(1, 2, 3), 5.0)
