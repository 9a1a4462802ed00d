"""One stream's two directions, as either of its sides has them: the same for gRPC and in-process calls."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, Self

import grpc
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs forgot it

from im_infra.aio import cancelled_from_outside
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import Pace, PaceRule
from im_infra.rpc.core.wire_form import from_wire, to_wire

BROKEN: Final = (grpc.RpcError, grpc.aio.BaseError, asyncio.InvalidStateError)
"""What gRPC raises when the other side or the network ended a call."""


class StreamLostError(Exception):
    """The stream broke; what was under way may have taken effect or not."""


class Writer(Protocol):
    """The one writer of a stream: sends whatever gathered until it gets its turn."""

    def wake(self) -> None:
        """There may be something to write, or the stream may be finished; cheap when that is known already."""
        ...

    def stop(self) -> None:
        """Write nothing more."""
        ...

    async def run(self) -> None:
        """Write until stopped, finished or the stream is lost; the reader tells why it was. Cancelling ends the call."""
        ...


class Duplex(Protocol):
    """A call of which both directions are open, as one side has it."""

    async def receive(self, take: Callable[[Frame], None]) -> None:
        """Hand over every frame, in order, until the other side ended in order. Cancelling ends the call.

        Raises:
            StreamLostError: the stream broke.
            Exception: what `take` raised; the frames behind are not handed over.
        """
        ...

    def writer(self, next_frame: Callable[[], Frame | None], finished: Callable[[], bool], rule: PaceRule) -> Writer:
        """The writer of this side's direction.

        Args:
            next_frame: what gathered; None when there is nothing.
            finished: asked when there is nothing: the stream may end.
            rule: how frames are to rest where each costs something.
        """
        ...


class BidiCall(Protocol):
    """A client's call with both directions open, as `stub.Connect()` returns it."""

    def cancel(self) -> bool:
        """End the call at once."""
        ...


def duplex_of(call: Any) -> Duplex:  # noqa: ANN401 - a client's call or a servicer's context, gRPC's or in-process
    """The directions of a call, of a client's or of a servicer's context."""
    own: Duplex | None = getattr(call, "duplex", None)
    return GrpcDuplex(call) if own is None else own


class GrpcDuplex:
    """The directions of a gRPC call, or of whatever reads and writes messages as that does.

    Args:
        call: a client's call or a servicer's context.
    """

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - as above
        self._call = call

    async def receive(self, take: Callable[[Frame], None]) -> None:
        """See `Duplex.receive`."""
        read = self._call.read
        while True:
            try:
                message = await read()
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
                raise StreamLostError("the call was cancelled") from None
            except BROKEN as error:
                _pass_cancellation_on()
                raise StreamLostError(_words(error)) from error
            if message is EOF:
                _pass_cancellation_on()
                return
            take(from_wire(message))

    def writer(self, next_frame: Callable[[], Frame | None], finished: Callable[[], bool], rule: PaceRule) -> Writer:
        """See `Duplex.writer`."""
        return GrpcWriter(self._call, next_frame, finished, rule)


class GrpcWriter:
    """Writes whatever gathered while the last write was pending, and under load for a moment longer.

    Args:
        call: where to.
        next_frame: see `Duplex.writer`.
        finished: see `Duplex.writer`.
        rule: see `Duplex.writer`.
    """

    def __init__(
        self,
        call: Any,  # noqa: ANN401 - as above
        next_frame: Callable[[], Frame | None],
        finished: Callable[[], bool],
        rule: PaceRule,
    ) -> None:
        self._call = call
        self._next_frame = next_frame
        self._finished = finished
        self._stopped = False
        self._idle: asyncio.Future[None] | None = None
        self._pace = Pace(rule)

    def wake(self) -> None:
        """See `Writer.wake`."""
        idle = self._idle
        if idle is not None:
            self._idle = None
            if not idle.done():
                idle.set_result(None)

    def stop(self) -> None:
        """See `Writer.stop`; ends after the write that is pending."""
        self._stopped = True
        self.wake()

    async def run(self) -> None:
        """See `Writer.run`."""
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
                await self._call.write(to_wire(frame))
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
                return
            except BROKEN:
                return
            rest_s = self._pace.wrote(frame.items, loop.time())
            if rest_s and not frame.leaves_some:
                await asyncio.sleep(rest_s)


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


def _pass_cancellation_on() -> None:
    """Raise the CancelledError that gRPC kept to itself.

    While a call is being set up its reader waits for a task of gRPC's, which takes a cancellation for its own and ends in
    order. Whoever was cancelled would go on otherwise, with a stream that nobody knows of.
    """
    if cancelled_from_outside():
        raise asyncio.CancelledError


def _words(error: BaseException) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    return f"{type(error).__name__}: {error}"
