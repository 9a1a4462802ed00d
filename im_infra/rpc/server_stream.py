"""One accepted stream, as the answering side's code sees it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, NamedTuple

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.rpc.core.answering import Asked
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import ANSWERS
from im_infra.rpc.core.pushing import OnAcknowledged
from im_infra.rpc.core.server_end import ServerEnd
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.duplex import Duplex, StreamLostError, Ticker
from im_infra.rpc.hop_metrics import AnsweringMetrics
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings

_LOG: Final = logs.get(__name__)


class Responder:
    """Answers one request; the first answer counts, later ones and those past the deadline are ignored."""

    __slots__ = ("_number", "_stream", "deadline")

    def __init__(self, stream: "ServerStream", number: int, deadline: float) -> None:
        self._stream = stream
        self._number = number
        self.deadline = deadline
        """Monotonic seconds of this process; the asker gives up then."""

    def answer(self, body: bytes) -> None:
        """The request succeeded."""
        self._stream._answer(self._number, body, None)  # noqa: SLF001 - one thing in two classes

    def answer_along(self, body: bytes) -> None:
        """The request succeeded, and nobody waits to hear it: told with whatever else is, or at the next tick."""
        self._stream._answer(self._number, body, None, along=True)  # noqa: SLF001 - as above

    def fail(self, error: ImError) -> None:
        """The request failed."""
        self._stream._answer(self._number, b"", error)  # noqa: SLF001 - as above

    def run(self, coroutine: Coroutine[Any, Any, bytes], *, along: bool = False) -> None:
        """Answer with what `coroutine` returns or raises; it is cancelled at the deadline. For what is not hot.

        Args:
            coroutine: does what was asked.
            along: nobody waits to hear that it succeeded.
        """
        spawn(self._finish(coroutine, self.answer_along if along else self.answer), name="rpc.request")

    async def _finish(self, coroutine: Coroutine[Any, Any, bytes], answer: Callable[[bytes], None]) -> None:
        left_s = self.deadline - self._stream.monotonic()
        try:
            async with asyncio.timeout(left_s) as limit:
                body = await coroutine
        except ImError as error:
            self.fail(error)
        except TimeoutError as error:
            self.fail(ImError(error_table.DEADLINE_EXCEEDED) if limit.expired() else _bug(error))
        except asyncio.CancelledError:
            self.fail(ImError(error_table.UNAVAILABLE, "the request was cancelled; the outcome is unknown"))
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a request: logged and answered
            self.fail(_bug(error))
        else:
            answer(body)


class Events(NamedTuple):
    """What a stream tells its server."""

    on_request: Callable[["ServerStream", bytes, Responder], None]
    on_greeted: Callable[["ServerStream"], None]
    metrics: AnsweringMetrics | None = None


class ServerStream:
    """One accepted stream. Made by `StreamServer`."""

    def __init__(
        self, duplex: Duplex, *, me: Peer, settings: StreamSettings, monotonic: Callable[[], float], events: Events
    ) -> None:
        self._duplex = duplex
        self._end = end = ServerEnd(me, settings)
        self._tick_s = settings.tick_s
        self._events = events
        self._writer = duplex.writer(self._frames_of(end), lambda: end.finished, ANSWERS)
        self._greeted = False
        self._gone = False
        self.monotonic = monotonic
        """Where its deadlines' time comes from."""

    @property
    def end(self) -> ServerEnd:
        """Its end, for those who measure."""
        return self._end

    @property
    def peer(self) -> Peer:
        """The other side; known to whoever is handed a stream."""
        assert self._end.peer is not None, "a stream is handed out after its greeting"
        return self._end.peer

    def push(self, body: bytes, on_acknowledged: OnAcknowledged | None = None) -> bool:
        """Tell the peer something.

        Args:
            body: the hop's own push message.
            on_acknowledged: called from the loop once the push, and all before it, took effect at the peer. When the
                stream is lost first it is never called: the server's `on_close` tells.

        Returns:
            False when the bounded queue is full or the stream is gone: nothing was queued.
        """
        if self._gone:
            return False
        if not self._end.push(body, on_acknowledged):
            if self._events.metrics is not None:
                self._events.metrics.refused_push()
            return False
        self._writer.wake()
        return True

    def drain(self) -> None:
        """Take no further request; the stream ends when all was answered and acknowledged, at once if nobody greeted."""
        if self._end.peer is None:
            self.close()
        self._end.drain()
        self._writer.wake()

    def close(self) -> None:
        """End the stream at once; what is open has an unknown outcome for the peer."""
        self._gone = True
        self._writer.stop()

    async def run(self) -> None:
        """Read and write until the peer ends it, it breaks, it is drained or closed. Cancelling closes it."""
        try:
            with Ticker(self._tick_s, self._tick):
                async with asyncio.TaskGroup() as tasks:
                    reading = tasks.create_task(self._read(), name="rpc.server.read")
                    writing = tasks.create_task(self._writer.run(), name="rpc.server.write")
                    await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                    reading.cancel()
                    writing.cancel()
        finally:
            self._gone = True

    def _frames_of(self, end: ServerEnd) -> Callable[[], Frame | None]:
        """Where its frames come from, counted if somebody counts."""
        metrics = self._events.metrics
        if metrics is None:
            return end.next_frame

        def next_frame() -> Frame | None:
            frame = end.next_frame()
            if frame is not None:
                metrics.wrote(frame)
            return frame

        return next_frame

    async def _read(self) -> None:
        try:
            await self._duplex.receive(self._take)
        except (StreamLostError, ProtocolViolationError) as error:
            peer = self._end.peer
            _LOG.warning("stream lost", peer=peer and peer.node_id, reason=str(error))

    def _take(self, frame: Frame) -> None:
        end = self._end
        arrived = end.receive(frame, self.monotonic())
        if not self._greeted and end.peer is not None:
            self._greeted = True
            self._events.on_greeted(self)
        if arrived.acknowledged:
            self._tell(arrived.acknowledged)
        if arrived.requests:
            self._start(arrived.requests)
        if end.has_output or end.draining:
            self._writer.wake()

    def _start(self, requests: Iterable[Asked]) -> None:
        handler = self._events.on_request
        for number, deadline, body in requests:
            responder = Responder(self, number, deadline)
            try:
                handler(self, body, responder)
            except ImError as error:
                responder.fail(error)
            except Exception as error:  # noqa: BLE001 - the edge of a request: logged and answered
                responder.fail(_bug(error))

    def _tell(self, acknowledged: Iterable[OnAcknowledged]) -> None:
        for on_acknowledged in acknowledged:
            try:
                on_acknowledged()
            except Exception:  # noqa: BLE001 - one callback's bug is not the stream's
                _LOG.exception("acknowledgement callback failed", peer=self.peer.node_id)

    def _answer(self, number: int, body: bytes, error: ImError | None, *, along: bool = False) -> None:
        end = self._end
        if end.answer(number, body, error, along=along) and (not along or end.has_output):
            self._writer.wake()

    def _tick(self) -> None:
        self._end.tick(self.monotonic())
        if self._end.has_output:
            self._writer.wake()


def _bug(error: BaseException) -> ImError:
    _LOG.error("request failed", exc_info=error)
    return ImError(error_table.INTERNAL)
