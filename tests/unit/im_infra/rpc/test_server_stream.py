"""What only a wire held by the test can show; the rest is the contract's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs

from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.duplex import GrpcDuplex
from im_infra.rpc.peer import Peer
from im_infra.rpc.server_stream import Events, Responder, ServerStream
from im_infra.rpc.settings import StreamSettings

GREETING = Frame(peer=Peer("logic-1", "a"))


class Accepted:
    """A running stream, and what it told."""

    def __init__(self, wire: Any, clock: ManualClock) -> None:
        self.greeted: list[ServerStream] = []
        self.responders: list[Responder] = []
        self.stream = ServerStream(
            GrpcDuplex(wire),
            me=Peer("repo-1", "b"),
            settings=StreamSettings(window=2, tick_s=0.001),
            monotonic=clock.monotonic,
            events=Events(
                on_request=lambda _stream, _body, responder: self.responders.append(responder),
                on_greeted=self.greeted.append,
            ),
        )


@asynccontextmanager
async def accepted(wire: Any, clock: ManualClock | None = None) -> AsyncIterator[Accepted]:
    made = Accepted(wire, clock or ManualClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.stream.run())
        yield made
        running.cancel()


def request(number: int, timeout_ms: int = 5_000) -> Frame:
    return Frame(first_request=number, requests=[(timeout_ms, b"")])


async def test_the_greeting_comes_before_the_first_request(wire: Any, until: Any) -> None:
    async with accepted(wire) as made:
        wire.give(Frame(peer=GREETING.peer, first_request=1, requests=request(1).requests))
        await until(lambda: made.responders)
        assert made.greeted == [made.stream]
        assert made.stream.peer == Peer("logic-1", "a")


async def test_a_responder_carries_the_callers_deadline(wire: Any, until: Any) -> None:
    clock = ManualClock(monotonic=100.0)
    async with accepted(wire, clock) as made:
        wire.give(GREETING, request(1, timeout_ms=1_500))
        await until(lambda: made.responders)
        assert made.responders[0].deadline == 101.5


async def test_a_request_past_its_deadline_is_answered_by_the_stream(wire: Any, until: Any) -> None:
    clock = ManualClock()
    async with accepted(wire, clock) as made:
        wire.give(GREETING, request(1))
        await until(lambda: made.responders)
        clock.advance(5)
        await until(lambda: any(frame.answers for frame in wire.written))
    [(_, failure)] = wire.written[-1].answers
    assert isinstance(failure, Failure)
    assert failure.number == error_table.DEADLINE_EXCEEDED.number


async def test_an_answer_that_nobody_waits_for_has_no_frame_of_its_own(wire: Any, until: Any) -> None:
    async with accepted(wire) as made:
        wire.give(GREETING, Frame(first_request=1, requests=[(5_000, b""), (5_000, b"")]))
        await until(lambda: len(made.responders) == 2)
        made.responders[0].answer_along(b"taken")
        made.responders[1].answer(b"stored")
        await until(lambda: any(frame.answers for frame in wire.written))
        assert wire.written[-1].answers == [(1, b"taken"), (2, b"stored")]


async def test_nothing_that_is_answered_waits_for_ever(wire: Any, until: Any) -> None:
    async with accepted(wire) as made:
        wire.give(GREETING, request(1))
        await until(lambda: made.responders)
        made.responders[0].answer_along(b"taken")
        await until(lambda: any(frame.answers for frame in wire.written))


async def test_a_drain_does_not_wait_for_who_hears_an_answer(wire: Any, until: Any) -> None:
    async with accepted(wire) as made:
        wire.give(GREETING, request(1))
        await until(lambda: made.responders)
        made.stream.drain()
        await until(lambda: any(frame.draining for frame in wire.written))
        made.responders[0].answer_along(b"taken")
        wire.give(Frame(draining=True))
        await until(lambda: any(frame.answers for frame in wire.written))


async def test_a_peer_that_breaks_the_rules_is_left(wire: Any) -> None:
    made = Accepted(wire, ManualClock())
    wire.give(GREETING, request(1), request(1))
    with capture_logs() as logs:
        async with asyncio.timeout(5):
            await made.stream.run()
    assert "request 1 where 2 follows" in logs[-1]["reason"]
    assert not made.stream.push(b"p")


async def test_a_callbacks_bug_does_not_keep_others_from_being_told(wire: Any, until: Any) -> None:
    told: list[int] = []

    def bug() -> None:
        raise ValueError("a bug")

    with capture_logs() as logs:
        async with accepted(wire) as made:
            wire.give(GREETING)
            await until(lambda: made.greeted)
            made.stream.push(b"1", bug)
            made.stream.push(b"2", lambda: told.append(2))
            await until(lambda: any(frame.pushes for frame in wire.written))
            wire.give(Frame(acknowledged_push=2))
            await until(lambda: told)
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["acknowledgement callback failed"]


async def test_draining_ends_a_stream_that_nobody_greeted(wire: Any) -> None:
    made = Accepted(wire, ManualClock())
    made.stream.drain()
    async with asyncio.timeout(5):
        await made.stream.run()


async def test_a_cancelled_coroutine_answers_that_its_outcome_is_unknown(wire: Any, until: Any) -> None:
    async def cancelled() -> bytes:
        raise asyncio.CancelledError

    async with accepted(wire) as made:
        wire.give(GREETING, request(1))
        await until(lambda: made.responders)
        made.responders[0].run(cancelled())
        await until(lambda: any(frame.answers for frame in wire.written))
    [(_, failure)] = wire.written[-1].answers
    assert isinstance(failure, Failure)
    assert failure.number == error_table.UNAVAILABLE.number
