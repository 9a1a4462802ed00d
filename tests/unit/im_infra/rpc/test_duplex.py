import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
import pytest

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import ANSWERS, REQUESTS, Pace, PaceRule
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.duplex import GrpcDuplex, GrpcWriter, StreamLostError, Ticker, duplex_of
from im_infra.rpc.in_process.direct import direct_pair
from im_infra.rpc.peer import Peer
from im_infra.rpc.server_stream import Events, ServerStream
from im_infra.rpc.settings import StreamSettings
from im_infra.rpc.stream_client import StreamClient
from im_proto.rpc.v1 import frame_pb2

ME = Peer("logic-1", "a")


def nothing(_frame: Frame) -> None:
    """Not looked at."""


async def test_receiving_hands_frames_over_until_the_end(wire: Any) -> None:
    taken: list[Frame] = []
    wire.give(Frame(credit=1), Frame(credit=2))
    wire.end()
    await GrpcDuplex(wire).receive(taken.append)
    assert taken == [Frame(credit=1), Frame(credit=2)]


@pytest.mark.parametrize(
    "error",
    [
        grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "gone away", None),
        grpc.aio.UsageError("gone away"),
        asyncio.InvalidStateError("gone away"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_grpc_says_a_broken_stream_is_lost(wire: Any, error: Exception) -> None:
    wire.break_(error)
    with pytest.raises(StreamLostError, match="gone away"):
        await GrpcDuplex(wire).receive(nothing)


async def test_a_call_that_grpc_cancelled_is_lost_and_does_not_cancel_the_reader(wire: Any) -> None:
    wire.break_(asyncio.CancelledError())
    with pytest.raises(StreamLostError):
        await GrpcDuplex(wire).receive(nothing)


async def test_a_reader_that_is_cancelled_is_cancelled(wire: Any) -> None:
    reading = asyncio.create_task(GrpcDuplex(wire).receive(nothing))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize(
    "then",
    [grpc.aio.EOF, grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())],
    ids=["EOF", "AioRpcError"],
)
async def test_a_cancellation_that_grpc_kept_to_itself_comes_through(wire: Any, then: object) -> None:
    """While it sets a call up, readers wait for a task of its own, which takes a cancellation and ends in order."""

    async def read() -> object:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if isinstance(then, Exception):
            raise then
        return then

    wire.read = read
    reading = asyncio.create_task(GrpcDuplex(wire).receive(nothing))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_frame_that_does_not_fit_together_is_a_violation(wire: Any) -> None:
    wire.incoming.put_nowait(frame_pb2.Frame(requests=[b"r"]))
    with pytest.raises(ProtocolViolationError):
        await GrpcDuplex(wire).receive(nothing)


async def test_a_call_that_brings_its_own_directions_keeps_them(wire: Any) -> None:
    wire.duplex, _ = direct_pair()
    assert duplex_of(wire) is wire.duplex


class Gathered:
    """Items that a writer takes all at once."""

    def __init__(self) -> None:
        self.items: list[bytes] = []
        self.is_finished = False

    def next_frame(self) -> Frame | None:
        if not self.items:
            return None
        items, self.items = self.items, []
        return Frame(first_push=1, pushes=items)

    def finished(self) -> bool:
        return self.is_finished


def writer_to(wire: Any, gathered: Gathered) -> GrpcWriter:
    return GrpcWriter(wire, gathered.next_frame, gathered.finished, REQUESTS)


async def test_an_item_leaves_at_once_when_the_writer_is_idle(wire: Any, until: Any) -> None:
    gathered = Gathered()
    writer = writer_to(wire, gathered)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    gathered.items.append(b"a")
    writer.wake()
    await until(lambda: [frame.pushes for frame in wire.written] == [[b"a"]])
    writer.stop()
    await running


async def test_items_gather_while_a_write_is_pending(wire: Any, until: Any) -> None:
    gathered = Gathered()
    writer = writer_to(wire, gathered)
    running = asyncio.create_task(writer.run())
    wire.writable.clear()
    for item in (b"a", b"b", b"c"):
        gathered.items.append(item)
        writer.wake()
        await until(lambda: wire.written)
    wire.writable.set()
    await until(lambda: len(wire.written) == 2)
    assert [frame.pushes for frame in wire.written] == [[b"a"], [b"b", b"c"]]
    writer.stop()
    await running


async def test_the_writer_ends_when_nothing_is_left_and_the_stream_is_finished(wire: Any) -> None:
    gathered = Gathered()
    writer = writer_to(wire, gathered)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    gathered.items.append(b"last")
    gathered.is_finished = True
    writer.wake()
    async with asyncio.timeout(5):
        await running
    assert len(wire.written) == 1


async def test_the_writer_ends_when_the_stream_is_lost(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(_message: frame_pb2.Frame) -> None:
        raise asyncio.InvalidStateError

    monkeypatch.setattr(wire, "write", write)
    gathered = Gathered()
    gathered.items.append(b"a")
    async with asyncio.timeout(5):
        await writer_to(wire, gathered).run()


async def test_a_ticker_ticks_while_it_is_open(until: Any) -> None:
    ticks: list[int] = []
    with Ticker(0.001, lambda: ticks.append(1)):
        await until(lambda: len(ticks) >= 3)
    after = len(ticks)
    await asyncio.sleep(0.01)
    assert len(ticks) == after


async def test_under_load_items_gather_between_two_writes(wire: Any, until: Any) -> None:
    gathered = Gathered()
    writer = writer_to(wire, gathered)
    running = asyncio.create_task(writer.run())
    given = 0
    async with asyncio.timeout(20):  # an item a turn of the loop: many thousands a second, until the load is noticed
        while not any(len(frame.pushes) > 10 for frame in wire.written[-10:]):
            gathered.items.append(b"a")
            given += 1
            writer.wake()
            await asyncio.sleep(0)
    assert len(wire.written[0].pushes) == 1, "before, one at a time"
    await until(lambda: sum(len(frame.pushes) for frame in wire.written) == given)
    writer.stop()
    await running


async def test_a_full_frame_is_followed_at_once(wire: Any, until: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of a thousand answers would take a rest for each of its frames."""
    monkeypatch.setattr(Pace, "wrote", lambda *_: 3_600.0)
    frames = [Frame(pushes=[b"a"], leaves_some=more) for more in (True, True, False, False)]
    writing = asyncio.create_task(GrpcWriter(wire, lambda: frames.pop(0), lambda: False, ANSWERS).run())
    await until(lambda: len(wire.written) == 3)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(wire.written) == 3, "nothing was left behind the third: it rests"
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def test_requests_rest_where_answers_do_not_yet(wire: Any) -> None:
    rules: list[PaceRule] = []

    class Recording:
        """The directions of a call that nobody answers."""

        def writer(
            self, next_frame: Callable[[], Frame | None], finished: Callable[[], bool], rule: PaceRule
        ) -> GrpcWriter:
            rules.append(rule)
            return GrpcWriter(wire, next_frame, finished, rule)

        async def receive(self, _take: Callable[[Frame], None]) -> None:
            await asyncio.Event().wait()

    wire.duplex = recording = Recording()
    client = asyncio.create_task(StreamClient(lambda: wire, me=ME).run())
    await asyncio.sleep(0)
    client.cancel()
    await asyncio.gather(client, return_exceptions=True)
    events = Events(on_request=lambda *_: None, on_greeted=lambda _: None)
    ServerStream(recording, me=ME, settings=StreamSettings(), monotonic=lambda: 0.0, events=events)
    assert rules == [REQUESTS, ANSWERS]
