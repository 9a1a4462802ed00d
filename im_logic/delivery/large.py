"""Large fan-out: entries are handed to the bus, and task brings them to the interested gateways.

One publish per conversation is under way at a time, so its records keep their order, and what comes meanwhile goes in
one record. While the bus takes nothing, what comes is dropped at once and repo is told to rest: the outbox keeps it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.bus.abstract import FANOUT_TOPIC, Bus
from im_infra.errors import ImError
from im_infra.observability import logs, traceparent
from im_infra.observability.span_names import LOGIC_PUBLISH
from im_infra.observability.tracing import Span
from im_logic.delivery.confirmations import Countdown
from im_proto.event.v1.fanout_pb2 import FanOutRange

_LOG: Final = logs.get(__name__)

MAX_WAITING: Final = 20_000
MAX_PUBLISHING: Final = 64
"""Conversations that publish at the same time; the others wait their turn."""
LOOK_S: Final = 1.0
"""How often the bus is looked at while it takes nothing."""
REST_MS: Final = 5_000
"""How long repo rests, if it hears nothing further."""
END_REST_MS: Final = 1
MAX_RECORD_BYTES: Final = 256 * 1024
MAX_RECORD_ENTRIES: Final = 128


class LargeEntry(NamedTuple):
    """A stretch of a large conversation's log; its entries may come along."""

    conversation_id: int
    from_seq: int
    to_seq: int
    countdown: Countdown
    epoch: int = 0
    member_version: int = 0
    entries: tuple[bytes, ...] = ()
    """Serialised LogEntry of the whole stretch, or nothing: task reads them."""
    trace: Span | None = None
    """The span of what brought it here, where it is sampled."""


class LargeFanOut:
    """Publishes large ranges and confirms them once the bus has taken them.

    Args:
        bus: takes the records.
        on_rest: told for how many milliseconds nothing large needs to be brought again; 1: from now on it does.
    """

    def __init__(self, bus: Bus, *, on_rest: Callable[[int], None]) -> None:
        self._bus = bus
        self._on_rest = on_rest
        self._rests = asyncio.Event()
        self._waiting: dict[int, deque[LargeEntry]] = {}
        self._publishing: set[int] = set()
        self._count = 0  # of what waits; at MAX_WAITING what comes is dropped: the outbox brings it back
        self.published = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Entries that wait for the bus."""
        return self._count

    async def run(self) -> None:
        """Look at a bus that takes nothing until it does, until cancelled."""
        while True:
            await self._rests.wait()
            while self._rests.is_set():
                self._on_rest(REST_MS)
                await asyncio.sleep(LOOK_S)
                with suppress(ImError):
                    await self._bus.check()
                    self._rests.clear()
            _LOG.info("large fan-out goes on")
            self._on_rest(END_REST_MS)

    def publish(self, entry: LargeEntry) -> None:
        """Hand a stretch over; its countdown hears of it when the bus has it."""
        if self._count >= MAX_WAITING or self._rests.is_set():
            self.dropped += 1
            return
        self._count += 1
        self._waiting.setdefault(entry.conversation_id, deque()).append(entry)
        self._start_more()

    def _start_more(self) -> None:
        if len(self._publishing) >= MAX_PUBLISHING or len(self._waiting) == len(self._publishing):
            return
        for conversation_id in list(self._waiting):
            if conversation_id not in self._publishing:
                self._publishing.add(conversation_id)
                spawn(self._publish(conversation_id), name="logic.delivery.publish")
                if len(self._publishing) >= MAX_PUBLISHING:
                    return

    async def _publish(self, conversation_id: int) -> None:
        waiting = self._waiting[conversation_id]
        try:
            while waiting:
                stretch = take_stretch(waiting)
                self._count -= len(stretch)
                if self._rests.is_set():
                    self.dropped += len(stretch)
                else:
                    await self._publish_one(stretch)
        finally:
            self._count -= len(waiting)
            del self._waiting[conversation_id]
            self._publishing.discard(conversation_id)
        self._start_more()

    async def _publish_one(self, stretch: Sequence[LargeEntry]) -> None:
        first, last = stretch[0], stretch[-1]
        record = FanOutRange(
            conversation_id=first.conversation_id,
            from_seq=first.from_seq,
            to_seq=last.to_seq,
            outbox_id=first.countdown.outbox_id,
            repo_boot_id=first.countdown.boot_id,
            entries=[entry for part in stretch for entry in part.entries],
            epoch=last.epoch,
            member_version=last.member_version,
        )
        span = _publish_span(stretch)
        headers = {traceparent.HEADER: traceparent.write(span.context)} if span is not None and span.context else None
        key = first.conversation_id.to_bytes(8, "big")
        failed: ImError | None = None
        try:
            await self._bus.publish(FANOUT_TOPIC, key=key, value=record.SerializeToString(), headers=headers)
        except ImError as error:
            failed = error
            self.dropped += len(stretch)
            if error.reason is error_table.UNAVAILABLE and not self._rests.is_set():
                _LOG.warning("large fan-out rests", error=error.message)
                self._rests.set()
            return
        finally:
            if span is not None:
                span.end(failed)
        self.published += len(stretch)
        for entry in stretch:
            entry.countdown.done()


def take_stretch(waiting: deque[LargeEntry]) -> list[LargeEntry]:
    """Take from the front what fits in one record: without a hole, of one outbox row, all with entries or all without."""
    stretch = [waiting.popleft()]
    size = sum(map(len, stretch[0].entries))
    while waiting and len(stretch) < MAX_RECORD_ENTRIES:
        last, following = stretch[-1], waiting[0]
        size += sum(map(len, following.entries))
        if (
            following.from_seq != last.to_seq + 1
            or _guard(following) != _guard(last)
            or bool(following.entries) != bool(last.entries)
            or size > MAX_RECORD_BYTES
        ):
            break
        stretch.append(waiting.popleft())
    return stretch


def _guard(entry: LargeEntry) -> tuple[int, str, int]:
    return entry.countdown.outbox_id, entry.countdown.boot_id, entry.epoch


def _publish_span(stretch: Sequence[LargeEntry]) -> Span | None:
    """Within the first sampled entry's request, linked to the others'; None: nothing is sampled."""
    traces = [entry.trace for entry in stretch if entry.trace is not None]
    if not traces:
        return None
    span = traces[0].child(LOGIC_PUBLISH, entries=len(stretch))
    for other in traces[1:]:
        span.link(other)
    return span
