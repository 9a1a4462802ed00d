import asyncio
from collections import deque
from typing import Any

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability import traceparent
from im_infra.observability.span_names import LOGIC_REQUEST
from im_logic.delivery import large as module
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.delivery.large import (
    END_REST_MS,
    MAX_RECORD_ENTRIES,
    MAX_WAITING,
    REST_MS,
    LargeEntry,
    LargeFanOut,
    take_stretch,
)
from im_logic.repo_stream import RepoStream
from im_proto.event.v1.fanout_pb2 import FanOutRange
from im_proto.repo.v1.stream_pb2 import ConfirmedRange
from tests.logic_support.scripted_repo import ScriptedRepo
from tests.support.spans import RecordingTracer


class SlowBus:
    """Takes a record when the test lets it."""

    def __init__(self) -> None:
        self.records: list[FanOutRange] = []
        self.headers: list[Any] = []
        self.gate = asyncio.Event()
        self.refuses = 0
        self.away = False

    async def check(self) -> None:
        if self.away:
            raise ImError(error_table.UNAVAILABLE)

    async def publish(self, topic: str, *, key: bytes, value: bytes, headers: Any = None) -> None:
        await self.gate.wait()
        if self.away:
            raise ImError(error_table.UNAVAILABLE)
        if self.refuses:
            self.refuses -= 1
            raise ImError(error_table.OVERLOADED)
        self.records.append(FanOutRange.FromString(value))
        self.headers.append(headers)


REPO = ScriptedRepo()


def fan_out(bus: SlowBus, told: list[int] | None = None) -> LargeFanOut:
    return LargeFanOut(bus, on_rest=[].append if told is None else told.append)  # type: ignore[arg-type]


def entry(seq: int, *, conversation_id: int = 5, outbox_id: int = 7, body: bytes = b"e") -> LargeEntry:
    stretch = ConfirmedRange(outbox_id=outbox_id, conversation_id=conversation_id, from_seq=seq, to_seq=seq)
    countdown = Countdown(Confirmations(RepoStream(REPO)), REPO, "boot", stretch)
    return LargeEntry(conversation_id, seq, seq, countdown, epoch=1, member_version=2, entries=(body,))


def test_a_stretch_has_no_hole_and_is_of_one_outbox_row() -> None:
    assert len(take_stretch(deque([entry(1), entry(2), entry(4)]))) == 2
    assert len(take_stretch(deque([entry(1), entry(2, outbox_id=8)]))) == 1
    assert len(take_stretch(deque([entry(1), entry(2)._replace(entries=())]))) == 1
    assert len(take_stretch(deque([entry(1), entry(2, body=b"x" * 300_000)]))) == 1
    assert len(take_stretch(deque([entry(seq) for seq in range(1, 200)]))) == MAX_RECORD_ENTRIES


async def test_what_comes_while_a_record_is_under_way_goes_in_the_next_one() -> None:
    bus = SlowBus()
    fanout = fan_out(bus)
    for seq in (1, 2, 3):
        fanout.publish(entry(seq))
        await asyncio.sleep(0)
    bus.gate.set()
    while fanout.published < 3:
        await asyncio.sleep(0)
    assert [(record.from_seq, record.to_seq, len(record.entries)) for record in bus.records] == [(1, 1, 1), (2, 3, 2)]


async def test_what_the_bus_took_is_confirmed_and_what_it_refused_is_not() -> None:
    REPO.confirmed.clear()
    bus = SlowBus()
    bus.gate.set()
    bus.refuses = 1
    fanout = fan_out(bus)
    fanout.publish(entry(1))
    fanout.publish(entry(1, conversation_id=6))
    while not REPO.confirmed:
        await asyncio.sleep(0)
    assert [confirmed.conversation_id for confirmed in REPO.confirmed] == [6]


async def test_full_it_drops_what_comes() -> None:
    bus = SlowBus()
    fanout = fan_out(bus)
    one = entry(1)
    for _ in range(MAX_WAITING + 5):
        fanout.publish(one)
    assert fanout.dropped == 5
    fanout._waiting[5].clear()
    bus.gate.set()
    await asyncio.sleep(0.01)


async def test_while_the_bus_is_away_nothing_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repo is told to rest as long as it lasts, and when it ends; what comes meanwhile is the outbox's."""
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    REPO.confirmed.clear()
    bus, told = SlowBus(), list[int]()
    bus.gate.set()
    bus.away = True
    fanout = fan_out(bus, told)
    running = asyncio.create_task(fanout.run())
    for seq in (1, 3, 5):
        fanout.publish(entry(seq))
    async with asyncio.timeout(5):
        while len(told) < 3:
            await asyncio.sleep(0.005)
    fanout.publish(entry(6))
    assert (fanout.dropped, set(told)) == (4, {REST_MS})
    bus.away = False
    async with asyncio.timeout(5):
        while told[-1] != END_REST_MS:
            await asyncio.sleep(0.005)
    fanout.publish(entry(8))
    while not REPO.confirmed:
        await asyncio.sleep(0)
    assert [record.from_seq for record in bus.records] == [8]
    assert not fanout._waiting
    running.cancel()


async def test_a_record_with_sampled_entries_carries_their_trace() -> None:
    """Within the first one's request, linked to the others'; the others' records carry nothing."""
    bus, tracer = SlowBus(), RecordingTracer()
    large = fan_out(bus)
    requests = [tracer.start(LOGIC_REQUEST), tracer.start(LOGIC_REQUEST)]
    large.publish(entry(1))
    await asyncio.sleep(0)
    for seq, request in ((2, None), (3, requests[0]), (4, requests[1])):
        large.publish(entry(seq)._replace(trace=request))
    bus.gate.set()
    async with asyncio.timeout(5):
        while len(bus.records) < 2:
            await asyncio.sleep(0)
    span = tracer.spans[2]
    assert (span.name, span.parent, span.links) == ("logic.publish", requests[0].context, [requests[1].context])
    assert span.ended
    assert bus.headers == [None, {traceparent.HEADER: traceparent.write(span.context)}]
