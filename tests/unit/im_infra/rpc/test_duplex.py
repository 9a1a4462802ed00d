import asyncio
from collections import deque
from typing import Any

import grpc
import pytest

from im_infra.rpc.duplex import FrameWriter, StreamLostError, Ticker, read_frame
from im_proto.rpc.v1.frame_pb2 import Frame


async def test_reading_gives_frames_and_then_the_end(wire: Any) -> None:
    wire.give(Frame(credit=1))
    wire.end()
    assert await read_frame(wire) == Frame(credit=1)
    assert await read_frame(wire) is None


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
        await read_frame(wire)


async def test_a_call_that_grpc_cancelled_is_lost_and_does_not_cancel_the_reader(wire: Any) -> None:
    wire.break_(asyncio.CancelledError())
    with pytest.raises(StreamLostError):
        await read_frame(wire)


async def test_a_reader_that_is_cancelled_is_cancelled(wire: Any) -> None:
    reading = asyncio.create_task(read_frame(wire))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


class Gathered:
    """Items that a writer takes all at once."""

    def __init__(self) -> None:
        self.items: deque[bytes] = deque()
        self.finished = False

    def next_frame(self) -> Frame | None:
        if not self.items:
            return None
        frame = Frame(pushes=self.items)
        self.items.clear()
        return frame


async def test_an_item_leaves_at_once_when_the_writer_is_idle(wire: Any, until: Any) -> None:
    gathered = Gathered()
    writer = FrameWriter(wire, gathered.next_frame)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    gathered.items.append(b"a")
    writer.wake()
    await until(lambda: wire.written == [Frame(pushes=[b"a"])])
    writer.stop()
    await running


async def test_items_gather_while_a_write_is_pending(wire: Any, until: Any) -> None:
    gathered = Gathered()
    writer = FrameWriter(wire, gathered.next_frame)
    running = asyncio.create_task(writer.run())
    wire.writable.clear()
    for item in (b"a", b"b", b"c"):
        gathered.items.append(item)
        writer.wake()
        await until(lambda: wire.written)
    wire.writable.set()
    await until(lambda: len(wire.written) == 2)
    assert [list(frame.pushes) for frame in wire.written] == [[b"a"], [b"b", b"c"]]
    writer.stop()
    await running


async def test_the_writer_ends_when_nothing_is_left_and_the_stream_is_finished(wire: Any) -> None:
    gathered = Gathered()
    writer = FrameWriter(wire, gathered.next_frame, lambda: gathered.finished)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    gathered.items.append(b"last")
    gathered.finished = True
    writer.wake()
    async with asyncio.timeout(5):
        await running
    assert len(wire.written) == 1


async def test_the_writer_ends_when_the_stream_is_lost(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(_frame: Frame) -> None:
        raise asyncio.InvalidStateError

    monkeypatch.setattr(wire, "write", write)
    gathered = Gathered()
    gathered.items.append(b"a")
    async with asyncio.timeout(5):
        await FrameWriter(wire, gathered.next_frame).run()


async def test_a_ticker_ticks_while_it_is_open(until: Any) -> None:
    ticks: list[int] = []
    with Ticker(0.001, lambda: ticks.append(1)):
        await until(lambda: len(ticks) >= 3)
    after = len(ticks)
    await asyncio.sleep(0.01)
    assert len(ticks) == after
