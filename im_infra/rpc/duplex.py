"""One stream's two directions, the same for gRPC and in-process calls."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, Self

import grpc
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs forgot it

from im_proto.rpc.v1 import frame_pb2

BROKEN: Final = (grpc.RpcError, grpc.aio.BaseError, asyncio.InvalidStateError)
"""What gRPC raises when the other side or the network ended a call."""


class StreamLostError(Exception):
    """The stream broke; what was under way may have taken effect or not."""


class Duplex(Protocol):
    """A call of which both directions are open: a client's call or a servicer's context."""

    async def read(self) -> object:
        """The next frame, or `grpc.aio.EOF`."""
        ...

    async def write(self, frame: frame_pb2.Frame, /) -> None:
        """Send a frame; returns when the next may be given."""
        ...


class BidiCall(Duplex, Protocol):
    """The client's side, as `stub.Connect()` returns it."""

    def cancel(self) -> bool:
        """End the call at once."""
        ...


async def read_frame(duplex: Duplex) -> frame_pb2.Frame | None:
    """The next frame; None when the other side ended in order.

    Cancelling it ends the call.

    Raises:
        StreamLostError: the stream broke.
    """
    try:
        frame = await duplex.read()
    except asyncio.CancelledError:
        if _cancelled_from_outside():
            raise
        raise StreamLostError("the call was cancelled") from None
    except BROKEN as error:
        raise StreamLostError(_words(error)) from error
    if frame is EOF:
        return None
    assert isinstance(frame, frame_pb2.Frame), "the stub parses frames"
    return frame


class FrameWriter:
    """The one writer of a stream: sends whatever gathered while the last write was pending.

    Args:
        duplex: where to.
        next_frame: what gathered; None when there is nothing.
        finished: asked when there is nothing: the stream may end.
    """

    def __init__(
        self,
        duplex: Duplex,
        next_frame: Callable[[], frame_pb2.Frame | None],
        finished: Callable[[], bool] = lambda: False,
    ) -> None:
        self._duplex = duplex
        self._next_frame = next_frame
        self._finished = finished
        self._stopped = False
        self._idle: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """There may be something to write, or the stream may be finished; cheap when the writer is busy."""
        idle = self._idle
        if idle is not None:
            self._idle = None
            if not idle.done():
                idle.set_result(None)

    def stop(self) -> None:
        """End after the write that is pending."""
        self._stopped = True
        self.wake()

    async def run(self) -> None:
        """Write until stopped, finished or the stream is lost; the reader tells why it was. Cancelling ends the call."""
        loop = asyncio.get_running_loop()
        while not self._stopped:
            frame = self._next_frame()
            if frame is None:
                if self._finished():
                    return
                self._idle = loop.create_future()
                await self._idle
                continue
            try:
                await self._duplex.write(frame)
            except asyncio.CancelledError:
                if _cancelled_from_outside():
                    raise
                return
            except BROKEN:
                return


class Ticker:
    """Calls back in steps of a fixed time while it is open: one timer per stream, for all its deadlines."""

    def __init__(self, interval_s: float, on_tick: Callable[[], None]) -> None:
        self._interval_s = interval_s
        self._on_tick = on_tick
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._tick)

    def _tick(self) -> None:
        self._arm()
        self._on_tick()


def _cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _words(error: BaseException) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"
