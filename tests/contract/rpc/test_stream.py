"""Streams, over a socket and within the process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.duplex import BidiCall
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings
from im_infra.rpc.stream_client import StreamClient
from im_infra.rpc.stream_server import Responder, ServerStream, StreamServer
from im_proto.repo.v1 import stream_pb2_grpc

Connect = Callable[[], BidiCall]
Serve = Callable[[Callable[[grpc.aio.Server], None]], Awaitable[grpc.aio.Channel]]

SETTINGS = StreamSettings(
    window=8, max_waiting=4, max_pushes=20, tick_s=0.01, reconnect_first_s=0.01, reconnect_max_s=0.05
)
CLIENT = Peer("logic-1", "boot")
SERVER = Peer("repo-1", "boot")


class Servicer(stream_pb2_grpc.RepoServiceServicer):
    def __init__(self, streams: StreamServer) -> None:
        self.streams = streams

    async def Connect(self, request_iterator: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        await self.streams.serve(request_iterator, context)


class Repo:
    """Answers by what the body says, and remembers what happened."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.held: list[Responder] = []
        self.events: list[str] = []
        self.server = StreamServer(
            self.handle,
            me=SERVER,
            on_open=lambda stream: self.events.append(f"open {stream.peer.node_id}"),
            on_close=lambda stream: self.events.append(f"close {stream.peer.node_id}"),
            settings=SETTINGS,
        )

    @property
    def stream(self) -> ServerStream:
        return self.server.streams[CLIENT]

    def handle(self, stream: ServerStream, body: bytes, responder: Responder) -> None:
        self.requests.append(body)
        match body.split()[0]:
            case b"echo":
                responder.answer(body)
            case b"hold":
                self.held.append(responder)
            case b"fail":
                raise ImError(error_table.SLOW_MODE, "slowly", retry_after_ms=3)
            case b"bug":
                raise ValueError("secret words")
            case b"coroutine":
                responder.run(self.later(body))
            case b"push":
                responder.answer(body)
                stream.push(body)

    async def later(self, body: bytes) -> bytes:
        await asyncio.sleep(0)
        match body:
            case b"coroutine fails":
                raise ImError(error_table.MUTED)
            case b"coroutine has a bug":
                raise ValueError("secret words")
            case b"coroutine hangs":
                await asyncio.Event().wait()
        return body


class Logic:
    """The asking side, and what it was told."""

    def __init__(self, connect: Connect, settings: StreamSettings = SETTINGS) -> None:
        self.pushes: list[bytes] = []
        self.lost: list[bool] = []
        self.told: list[str] = []
        self.broken_push = b""
        self.client = StreamClient(
            connect,
            me=CLIENT,
            on_push=lambda body: self.on_push(body),  # noqa: PLW0108 - a test may replace it
            on_lost=self.lost.append,
            settings=settings,
            chance=lambda: 1.0,
        )

    def on_push(self, body: bytes) -> None:
        if body == self.broken_push:
            raise ValueError("this push has no effect")
        self.pushes.append(body)

    def ask(self, body: bytes, timeout_s: float = 5.0) -> None:
        def on_answer(answer: bytes | None, error: ImError | None) -> None:
            self.told.append(f"{body.decode()}: {type(error).__name__ + ' ' + error.reason.name if error else answer}")

        self.client.request(body, on_answer, timeout_s=timeout_s)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def running(client: StreamClient) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def repo() -> Repo:
    return Repo()


@pytest.fixture
async def connect(serve: Serve, repo: Repo) -> Connect:
    channel = await serve(
        lambda server: stream_pb2_grpc.add_RepoServiceServicer_to_server(Servicer(repo.server), server)
    )
    return stream_pb2_grpc.RepoServiceStub(channel).Connect


@pytest.fixture
async def logic(connect: Connect) -> AsyncIterator[Logic]:
    logic = Logic(connect)
    async with running(logic.client):
        await until(lambda: logic.client.ready)
        yield logic


async def test_both_sides_learn_who_the_other_is(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    assert logic.client.peer == SERVER
    assert list(repo.server.streams) == [CLIENT]
    assert repo.events == ["open logic-1"]


async def test_requests_arrive_in_order_and_each_is_answered(logic: Logic, repo: Repo) -> None:
    bodies = [b"echo %d" % number for number in range(8)]
    for body in bodies:
        logic.ask(body)
    await until(lambda: len(logic.told) == 8)
    assert repo.requests == bodies
    assert logic.told == [f"{body.decode()}: {body!r}" for body in bodies]


async def test_an_answer_is_never_told_within_the_request(logic: Logic) -> None:
    logic.ask(b"echo")
    assert logic.told == []


async def test_call_returns_the_answer_or_raises_the_error(logic: Logic) -> None:
    assert await logic.client.call(b"echo", timeout_s=5) == b"echo"
    with pytest.raises(ImError) as caught:
        await logic.client.call(b"fail", timeout_s=5)
    assert (caught.value.reason, caught.value.retry_after_ms) == (error_table.SLOW_MODE, 3)


async def test_an_empty_answer_is_an_answer(logic: Logic, repo: Repo) -> None:
    call = asyncio.create_task(logic.client.call(b"hold", timeout_s=5))
    await until(lambda: repo.held)
    repo.held[0].answer(b"")
    assert await call == b""


async def test_a_cancelled_call_does_not_disturb_the_stream(logic: Logic, repo: Repo) -> None:
    call = asyncio.create_task(logic.client.call(b"hold", timeout_s=5))
    await until(lambda: repo.held)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    repo.held[0].answer(b"late")
    assert await logic.client.call(b"echo", timeout_s=5) == b"echo"


async def test_a_handlers_bug_is_told_as_internal_without_its_words(logic: Logic) -> None:
    with pytest.raises(ImError) as caught:
        await logic.client.call(b"bug", timeout_s=5)
    assert caught.value.reason is error_table.INTERNAL
    assert "secret" not in caught.value.message


async def test_a_coroutine_answers_with_what_it_returns_or_raises(logic: Logic) -> None:
    for body in (b"coroutine", b"coroutine fails", b"coroutine has a bug"):
        logic.ask(body)
    logic.ask(b"coroutine hangs", timeout_s=0.05)
    await until(lambda: len(logic.told) == 4)
    assert sorted(logic.told) == [
        "coroutine fails: ImError MUTED",
        "coroutine hangs: ImError DEADLINE_EXCEEDED",
        "coroutine has a bug: ImError INTERNAL",
        "coroutine: b'coroutine'",
    ]


async def test_a_request_past_its_deadline_is_told_so_and_its_late_answer_ignored(logic: Logic, repo: Repo) -> None:
    logic.ask(b"hold", timeout_s=0.03)
    await until(lambda: logic.told)
    repo.held[0].answer(b"late")
    assert await logic.client.call(b"echo", timeout_s=5) == b"echo"
    assert logic.told == ["hold: ImError DEADLINE_EXCEEDED"]


async def test_requests_beyond_credit_wait_and_beyond_that_are_overloaded(logic: Logic, repo: Repo) -> None:
    for _ in range(8 + 4 + 1):
        logic.ask(b"hold")
    await until(lambda: logic.told and len(repo.held) == 8)
    assert logic.told == ["hold: ImError OVERLOADED"]
    repo.held[0].answer(b"done")
    await until(lambda: len(repo.held) == 9)


async def test_handlers_that_never_answer_do_not_use_up_the_credit(logic: Logic, repo: Repo) -> None:
    for _ in range(12):
        logic.ask(b"hold", timeout_s=0.03)
    await until(lambda: len(logic.told) == 12)
    assert await logic.client.call(b"echo", timeout_s=5) == b"echo"


async def test_a_body_too_large_is_refused_without_hurting_the_stream(connect: Connect, repo: Repo) -> None:
    logic = Logic(connect, settings=SETTINGS.model_copy(update={"max_body_bytes": 1_024}))
    async with running(logic.client):
        await until(lambda: logic.client.ready)
        logic.ask(b"x" * 1_025)
        await until(lambda: logic.told)
        assert "FRAME_TOO_LARGE" in logic.told[0]
        assert await logic.client.call(b"echo", timeout_s=5) == b"echo"


async def test_a_body_of_many_megabytes_passes(logic: Logic) -> None:
    body = b"echo " + bytes(15 << 20)
    assert await logic.client.call(body, timeout_s=5) == body


async def test_pushes_arrive_in_order_and_are_acknowledged_after_their_effect(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    acknowledged: list[int] = []
    for number in range(10):
        assert repo.stream.push(b"%d" % number, lambda number=number: acknowledged.append(len(logic.pushes) > number))
    await until(lambda: len(acknowledged) == 10)
    assert all(acknowledged)
    assert logic.pushes == [b"%d" % number for number in range(10)]


async def test_a_push_comes_after_the_answer_given_before_it(logic: Logic) -> None:
    order: list[str] = []
    logic.on_push = lambda _: order.append("push")
    logic.client.request(b"push", lambda *_: order.append("answer"), timeout_s=5)
    await until(lambda: len(order) == 2)
    assert order == ["answer", "push"]


async def test_push_says_false_when_the_queue_is_full(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    queued = [repo.stream.push(b"%d" % number) for number in range(21)]
    assert queued == [True] * 20 + [False]
    await until(lambda: len(logic.pushes) == 20)
    await until(lambda: repo.stream.push(b"room again"))


async def test_a_push_without_effect_breaks_the_stream_and_is_not_acknowledged(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    logic.broken_push = b"2"
    acknowledged: list[int] = []
    for number in (1, 2, 3):
        repo.stream.push(b"%d" % number, lambda number=number: acknowledged.append(number))
    await until(lambda: logic.lost)
    assert logic.lost == [True]
    assert set(acknowledged) <= {1}
    await until(lambda: repo.events == ["open logic-1", "close logic-1", "open logic-1"])


async def test_a_lost_stream_tells_written_requests_that_their_outcome_is_unknown(logic: Logic, repo: Repo) -> None:
    for _ in range(10):
        logic.ask(b"hold")
    await until(lambda: len(repo.held) == 8)
    stream = repo.stream
    stream.close()
    await until(lambda: len(logic.told) == 10)
    assert logic.told == ["hold: ImError UNAVAILABLE"] * 8 + ["hold: NotStartedError DRAINING"] * 2
    assert logic.lost == [True]
    assert not stream.push(b"gone")
    repo.held[0].answer(b"to nobody")


async def test_a_lost_stream_is_made_again(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    repo.stream.close()
    await until(lambda: logic.lost)
    await until(lambda: logic.client.ready)
    assert await logic.client.call(b"echo", timeout_s=5) == b"echo"


async def test_without_a_stream_a_request_is_told_that_it_never_started(connect: Connect) -> None:
    logic = Logic(connect)
    logic.ask(b"echo")
    assert logic.told == []
    await until(lambda: logic.told)
    assert logic.told == ["echo: NotStartedError DRAINING"]


async def test_ending_the_client_tells_everybody_and_closes_the_servers_side(connect: Connect, repo: Repo) -> None:
    logic = Logic(connect)
    async with running(logic.client):
        await until(lambda: logic.client.ready)
        logic.ask(b"hold")
        await until(lambda: repo.held)
    assert logic.told == ["hold: ImError UNAVAILABLE"]
    assert not logic.client.ready
    await until(lambda: repo.events == ["open logic-1", "close logic-1"])
    assert not repo.server.streams


async def test_a_drain_answers_what_is_open_and_refuses_the_rest(logic: Logic, repo: Repo) -> None:
    for _ in range(10):
        logic.ask(b"hold")
    await until(lambda: len(repo.held) == 8)
    drain = asyncio.create_task(repo.server.drain())
    await until(lambda: not logic.client.ready)
    await until(lambda: logic.told == ["hold: NotStartedError DRAINING"] * 2)
    repo.stream.push(b"last")
    for responder in repo.held:
        responder.answer(b"done")
    async with asyncio.timeout(5):
        await drain
    await until(lambda: logic.lost)
    assert logic.told[2:] == ["hold: b'done'"] * 8
    assert logic.pushes == [b"last"]
    assert logic.lost[0] is False


async def test_a_drain_under_load_leaves_no_outcome_unknown(logic: Logic, repo: Repo) -> None:
    asked = 0

    async def load() -> None:
        nonlocal asked
        while logic.client.ready:
            logic.ask(b"echo")
            asked += 1
            await asyncio.sleep(0)

    loading = asyncio.create_task(load())
    await until(lambda: len(repo.requests) > 20)
    async with asyncio.timeout(5):
        await repo.server.drain()
        await loading
    await until(lambda: len(logic.told) == asked)
    assert not [told for told in logic.told if "UNAVAILABLE" in told]


async def test_a_drain_that_is_cancelled_ends_the_streams(logic: Logic, repo: Repo) -> None:
    logic.ask(b"hold")
    await until(lambda: repo.held)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await repo.server.drain()
    await until(lambda: logic.told == ["hold: ImError UNAVAILABLE"])


async def test_a_drained_server_takes_no_new_stream(logic: Logic, repo: Repo) -> None:
    await until(lambda: repo.events)
    async with asyncio.timeout(5):
        await repo.server.drain()
    await until(lambda: logic.lost)
    for _ in range(20):
        await asyncio.sleep(0.01)
        assert not logic.client.ready
    assert not repo.server.streams


async def test_a_peer_that_comes_again_replaces_its_earlier_stream(connect: Connect, logic: Logic, repo: Repo) -> None:
    again = Logic(connect, settings=SETTINGS.model_copy(update={"reconnect_first_s": 5.0, "reconnect_max_s": 5.0}))
    async with running(again.client):
        await until(lambda: len(repo.events) >= 3)
        assert repo.events[:3] == ["open logic-1", "close logic-1", "open logic-1"]
        await until(lambda: logic.lost)
