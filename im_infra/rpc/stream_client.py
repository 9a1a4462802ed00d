"""The asking side of the one long-lived stream to a peer."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from im_infra import error_table
from im_infra.clock import Clock, SystemClock
from im_infra.errors import ImError, NotStartedError
from im_infra.observability import logs
from im_infra.rpc.core.asking import Answered, OnAnswer
from im_infra.rpc.core.backoff import Backoff
from im_infra.rpc.core.client_end import ClientEnd
from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.pace import REQUESTS
from im_infra.rpc.core.violation import ProtocolViolationError
from im_infra.rpc.duplex import BidiCall, Duplex, StreamLostError, Ticker, Writer, duplex_of
from im_infra.rpc.hop_metrics import AskingMetrics, Stopwatch
from im_infra.rpc.peer import Peer
from im_infra.rpc.settings import StreamSettings

_LOG: Final = logs.get(__name__)

__all__ = ["OnAnswer", "StreamClient"]


class StreamClient:
    """Requests to one peer, and its pushes, over a stream that is made again whenever it is lost.

    Requests are callbacks, not coroutines: nothing is allocated for one but its place in the books. Their order is the
    order at the peer's handler. Each is told its end exactly once, from the loop, never within `request`:

    - its answer;
    - the error the peer answered;
    - NotStartedError: there was no stream, it drained, or it was lost before the request was written;
    - UNAVAILABLE: the stream was lost after that; the outcome is unknown;
    - DEADLINE_EXCEEDED: no answer in time; the outcome is unknown;
    - OVERLOADED: too many wait for credit; FRAME_TOO_LARGE: it cannot be sent. Nothing was done.

    Args:
        connect: opens a call: `stub.Connect`; an ImError it raises is tried again like a refused connection.
        me: who we are.
        on_push: takes a push; returning means that it took effect, and it is then acknowledged. One that raises breaks
            the stream, since an effect that failed must not be acknowledged: catch what concerns only one receiver.
        on_lost: a stream that was open ended; True: it broke and pushes may be lost, False: drained, all arrived.
        on_ready: `ready` changed.
        settings: limits and times.
        clock: where time comes from.
        chance: random in [0, 1), for the jitter of reconnects.
        metrics: of the hop; None: nothing is counted.
    """

    def __init__(
        self,
        connect: Callable[[], BidiCall],
        *,
        me: Peer,
        on_push: Callable[[bytes], None] | None = None,
        on_lost: Callable[[bool], None] | None = None,
        on_ready: Callable[[], None] | None = None,
        settings: StreamSettings | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        metrics: AskingMetrics | None = None,
    ) -> None:
        self._connect = connect
        self._me = me
        self._on_push = on_push
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._settings = settings or StreamSettings()
        self._max_body_bytes = self._settings.max_body_bytes
        self._monotonic = (clock or SystemClock()).monotonic
        self._chance = chance
        self._metrics = metrics
        self._stopwatch: Stopwatch | None = None
        self._end: ClientEnd | None = None
        self._wake: Callable[[], None] = _nothing
        self.peer: Peer | None = None
        """The peer of the present or last stream."""

    @property
    def end(self) -> ClientEnd | None:
        """The end of the open stream, for those who measure."""
        return self._end

    @property
    def ready(self) -> bool:
        """A stream is open and its peer takes requests."""
        return self._end is not None

    def request(self, body: bytes, on_answer: OnAnswer, *, timeout_s: float) -> None:
        """Ask; `on_answer` is told the end once.

        Args:
            body: the hop's own request message.
            on_answer: takes the body of the answer or an error; must not raise.
            timeout_s: seconds until DEADLINE_EXCEEDED, precise to the tick; travels with the request.
        """
        end = self._end
        if end is None:
            self._refuse(on_answer, NotStartedError("there is no stream to the peer"))
        elif len(body) > self._max_body_bytes:
            self._refuse(
                on_answer, ImError(error_table.FRAME_TOO_LARGE, f"a request of {len(body)} bytes cannot be sent")
            )
        elif end.request(body, on_answer, self._monotonic() + timeout_s):
            self._wake()
        else:
            self._refuse(on_answer, ImError(error_table.OVERLOADED, "too many requests wait for the peer"))

    async def call(self, body: bytes, *, timeout_s: float) -> bytes:
        """Ask and wait for the answer, for what is not hot; raises what `request` tells. Cancelling gives up waiting only."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def on_answer(answer: bytes | None, error: ImError | None) -> None:
            if answered.cancelled():
                return
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(answer or b"")

        self.request(body, on_answer, timeout_s=timeout_s)
        return await answered

    async def run(self) -> NoReturn:
        """Keep a stream open. Cancelling ends it; everything asked is told its end."""
        backoff = Backoff(self._settings.reconnect_first_s, self._settings.reconnect_max_s)
        attempt = 0
        while True:
            began = self._monotonic()
            await self._live()
            lasted = self._monotonic() - began
            attempt = 0 if lasted >= backoff.max_s else attempt
            await asyncio.sleep(backoff.delay(attempt, self._chance()))
            attempt += 1

    async def _live(self) -> None:
        """One stream, from its call to its end."""
        end = ClientEnd(self._me, self._settings)
        try:
            call = self._connect()
        except ImError as error:
            _LOG.debug("peer not reachable", me=self._me.node_id, reason=str(error))
            return
        duplex = duplex_of(call)
        writer = duplex.writer(self._frames_of(end), _never, REQUESTS)
        orderly = False
        try:
            with Ticker(self._settings.tick_s, lambda: self._tick(end, writer)):
                async with asyncio.TaskGroup() as tasks:
                    writing = tasks.create_task(writer.run(), name="rpc.client.write")
                    orderly = await self._read(duplex, end, writer)
                    writing.cancel()
        finally:
            call.cancel()
            self._close(end, orderly=orderly)

    def _frames_of(self, end: ClientEnd) -> Callable[[], Frame | None]:
        """Where a stream's frames come from, counted if somebody counts."""
        if self._metrics is None:
            return lambda: end.next_frame(self._monotonic())
        self._stopwatch = stopwatch = Stopwatch(self._metrics, end.is_open, self._monotonic)

        def next_frame() -> Frame | None:
            frame = end.next_frame(self._monotonic())
            if frame is not None:
                stopwatch.wrote(frame)
            return frame

        return next_frame

    async def _read(self, duplex: Duplex, end: ClientEnd, writer: Writer) -> bool:
        """Until the stream ends; True: in order, drained."""
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s) as limit:

                def take(frame: Frame) -> None:
                    if end.peer is None:
                        limit.reschedule(None)  # that was the greeting: from here on silence is no failure
                    self._take(frame, end, writer)

                await duplex.receive(take)
        except TimeoutError:
            _LOG.warning("stream not greeted", me=self._me.node_id, timeout_s=self._settings.connect_timeout_s)
        except _PushFailedError:
            pass
        except (StreamLostError, ProtocolViolationError) as error:
            level = _LOG.warning if end.peer is not None else _LOG.debug
            level("stream lost", me=self._me.node_id, peer=end.peer and end.peer.node_id, reason=str(error))
        else:
            return end.draining
        return False

    def _take(self, frame: Frame, end: ClientEnd, writer: Writer) -> None:
        received = end.receive(frame)
        self.peer = end.peer  # even of one that drains as it greets: its pushes come, and its end is told
        if end.accepts is not self.ready:
            self._open(end, writer) if end.accepts else self._refuse_from_now_on()
        if received.answers:
            if self._stopwatch is not None:
                self._stopwatch.heard()
            self._tell(received.answers)
        if received.pushes:
            self._take_effect(end, received.pushes)
        if end.has_output:
            writer.wake()

    def _tick(self, end: ClientEnd, writer: Writer) -> None:
        expired = end.tick(self._monotonic())
        if expired:
            self._count_failures(expired)
            self._tell(expired)
        if end.has_output:
            writer.wake()

    def _take_effect(self, end: ClientEnd, pushes: Iterable[bytes]) -> None:
        """Hand pushes over; raises _PushFailedError when one had no effect."""
        on_push = self._on_push or _ignore
        count = 0
        try:
            for body in pushes:
                on_push(body)
                count += 1
        except Exception as error:
            _LOG.exception("push failed; the stream is given up", peer=end.peer and end.peer.node_id)
            raise _PushFailedError from error
        finally:
            end.took_effect(count)

    def _open(self, end: ClientEnd, writer: Writer) -> None:
        self._end, self._wake = end, writer.wake
        self._notify_ready()

    def _refuse_from_now_on(self) -> None:
        self._end, self._wake = None, _nothing
        self._notify_ready()

    def _close(self, end: ClientEnd, *, orderly: bool) -> None:
        if self._end is not None:
            self._refuse_from_now_on()
        lost = end.lose()
        self._count_failures(lost)
        self._tell(lost)
        if end.peer is not None and self._metrics is not None and not orderly:
            self._metrics.lost()
        if end.peer is not None and self._on_lost is not None:
            self._on_lost(not orderly)

    def _notify_ready(self) -> None:
        if self._on_ready is not None:
            self._on_ready()

    def _tell(self, answers: Iterable[Answered]) -> None:
        for on_answer, body, error in answers:
            try:
                on_answer(body, error)
            except Exception:  # noqa: BLE001 - one callback's bug is not the stream's
                _LOG.exception("answer callback failed", peer=self.peer and self.peer.node_id)

    def _count_failures(self, answers: Iterable[Answered]) -> None:
        if self._metrics is None:
            return
        if self._stopwatch is not None:
            self._stopwatch.heard()
        for _, _, error in answers:
            if error is not None:
                self._metrics.failed(error)

    def _refuse(self, on_answer: OnAnswer, error: ImError) -> None:
        if self._metrics is not None:
            self._metrics.failed(error)
        asyncio.get_running_loop().call_soon(self._tell, [(on_answer, None, error)])


class _PushFailedError(Exception):
    """A push had no effect; it was logged."""


def _never() -> bool:
    """A client's stream is ended by its server."""
    return False


def _nothing() -> None:
    """Nobody to wake."""


def _ignore(_push: bytes) -> None:
    """Nobody hears pushes."""
