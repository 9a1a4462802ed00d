"""What only a wire held by the test can show; the rest is the contract's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from im_cli.engines.engine import LOOPBACK, free_port
from im_infra import error_table
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings
from im_infra.rpc.stream_client import StreamClient
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceStub

ME = Peer("logic-1", "a")
GREETING = Frame(peer=Peer("repo-1", "b"), credit=10)


@asynccontextmanager
async def running(client: StreamClient) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_is_ready_only_after_the_peers_greeting(wire: Any, until: Any) -> None:
    changes: list[bool] = []
    client = StreamClient(lambda: wire, me=ME, on_ready=lambda: changes.append(client.ready))
    async with running(client):
        await until(lambda: wire.written)
        assert not client.ready
        wire.give(GREETING)
        await until(lambda: client.ready)
        assert client.peer == Peer("repo-1", "b")
    assert changes == [True, False]
    assert wire.cancelled


async def test_a_peer_that_never_greets_is_given_up(wire: Any, until: Any) -> None:
    connects: list[int] = []

    def connect() -> object:
        connects.append(1)
        return wire

    lost: list[bool] = []
    settings = StreamSettings(connect_timeout_s=0.01, reconnect_first_s=0.001, reconnect_max_s=0.001)
    async with running(StreamClient(connect, me=ME, on_lost=lost.append, settings=settings)):
        await until(lambda: len(connects) >= 3)
    assert lost == []


async def test_a_service_that_cannot_be_reached_is_tried_again_with_growing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 7:
            enough.set()
            await asyncio.Event().wait()

    def connect() -> object:
        raise ImError(error_table.UNAVAILABLE)

    monkeypatch.setattr("im_infra.rpc.stream_client.asyncio.sleep", sleep)
    async with running(StreamClient(connect, me=ME, chance=lambda: 1.0)):
        await enough.wait()
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_cancelled_at_whatever_moment_of_connecting_it_ends() -> None:
    """One that went on would open a second stream to its peer, and each would end the other for ever."""
    settings = StreamSettings(reconnect_first_s=0.001, reconnect_max_s=0.001)
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{free_port()}") as channel:
        stub = RepoServiceStub(channel)
        tasks = []
        for turns in range(200):
            task = asyncio.create_task(StreamClient(stub.Connect, me=ME, settings=settings).run())
            for _ in range(turns % 50):
                await asyncio.sleep(0)
            task.cancel()
            tasks.append(task)
        _, pending = await asyncio.wait(tasks, timeout=5)
        for task in pending:
            task.cancel()
    assert not pending


async def test_the_deadline_is_the_clocks(wire: Any, until: Any) -> None:
    clock = ManualClock()
    told: list[ImError | None] = []
    client = StreamClient(lambda: wire, me=ME, settings=StreamSettings(tick_s=0.001), clock=clock)
    async with running(client):
        wire.give(GREETING)
        await until(lambda: client.ready)
        client.request(b"r", lambda _, error: told.append(error), timeout_s=100)
        clock.advance(99)
        await asyncio.sleep(0.01)
        assert not told
        clock.advance(1)
        await until(lambda: told)
    assert told[0] is not None
    assert told[0].reason is error_table.DEADLINE_EXCEEDED


async def test_a_callbacks_bug_does_not_keep_others_from_being_told(wire: Any, until: Any) -> None:
    told: list[bytes | None] = []

    def bug(*_: object) -> None:
        raise ValueError("a bug")

    client = StreamClient(lambda: wire, me=ME)
    with capture_logs() as logs:
        async with running(client):
            wire.give(GREETING)
            await until(lambda: client.ready)
            client.request(b"1", bug, timeout_s=5)
            client.request(b"2", lambda body, _: told.append(body), timeout_s=5)
            await until(lambda: any(frame.requests for frame in wire.written))
            wire.give(Frame(answers=[(1, b"A"), (2, b"B")]))
            await until(lambda: told)
    assert told == [b"B"]
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["answer callback failed"]


async def test_a_peer_that_breaks_the_rules_is_left(wire: Any, until: Any) -> None:
    lost: list[bool] = []
    async with running(StreamClient(lambda: wire, me=ME, on_lost=lost.append)):
        wire.give(GREETING, Frame(pushes=[b"p"], first_push=7))
        await until(lambda: lost)
    assert lost[0] is True


async def test_an_end_without_a_drain_counts_as_broken(wire: Any, until: Any) -> None:
    lost: list[bool] = []
    async with running(StreamClient(lambda: wire, me=ME, on_lost=lost.append)):
        wire.give(GREETING)
        wire.end()
        await until(lambda: lost)
    assert lost[0] is True
