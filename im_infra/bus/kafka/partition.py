"""One partition: its records are handed out in order, tried again, given up.

Retries hold up this partition alone, and nothing in it overtakes: that is what keeps a key's order.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isqrt
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from im_infra.aio import cancelled_from_outside
from im_infra.bus.abstract import Handler, Record
from im_infra.bus.kafka.connection import FAILURES
from im_infra.bus.kafka.offsets import Offsets, Standing
from im_infra.bus.retry import Patience, describe_error
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

HIGH_WATER_BYTES: Final = 1024 * 1024
"""Of records that wait: above it the partition is not fetched."""
_DIED: Final = "handed out before, and the process ended each time"
_AGAIN_S: Final = 0.5

Bury = Callable[[Record, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record and its offset."""

    offset: int
    record: Record


class Partition:
    """A partition while it is ours.

    After a process that died at work its first records go a few at a time, written down before; and one by one those that it
    had written down. The one that takes us with it too is then known, and given up after `max_tries`. What comes behind goes
    in batches, written down after.

    Args:
        partition: which.
        handler: takes records.
        max_records: at most so many at a time.
        offsets: where it stands.
        settings: tries and waits.
        counts: its topic's counters.
        bury: stores a dead letter.
        on_room: called when it may be fetched again.
    """

    def __init__(
        self,
        partition: TopicPartition,
        *,
        handler: Handler,
        max_records: int,
        offsets: Offsets,
        settings: BusSettings,
        counts: TopicCounts,
        bury: Bury,
        on_room: Callable[[TopicPartition], None],
    ) -> None:
        self._partition = partition
        self._handler = handler
        self._max_records = max_records
        self._offsets = offsets
        self._settings = settings
        self._counts = counts
        self._bury = bury
        self._on_room = on_room
        self._waiting: deque[Fetched] = deque()  # above high water the partition is paused
        self._waiting_bytes = 0
        self._paused = False
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self.next_offset = 0
        """What lies before it took effect or was given up."""
        self.handing_out = False
        """A handler was begun and did not end: by dying here the process would leave a record half done."""

    @property
    def waiting(self) -> int:
        """Records that were not handed out yet."""
        return len(self._waiting)

    def add(self, fetched: Sequence[Fetched]) -> bool:
        """Take records; True: pause fetching until `on_room`."""
        self._waiting.extend(fetched)
        self._waiting_bytes += sum(len(one.record.value) + len(one.record.key) for one in fetched)
        self._woken.set()
        if not self._paused and self._crowded(2):
            self._paused = True
            return True
        return False

    def stop(self) -> None:
        """End after the hand-out under way."""
        self._stopped.set()
        self._woken.set()

    async def run(self, standing: Standing) -> None:
        """Hand records out until stopped.

        Raises:
            KafkaError, OSError, TimeoutError: Kafka does not take our commits; the membership is to be made anew.
        """
        self.next_offset = standing.offset
        careful_until = standing.offset + 2 * self._max_records if standing.begun else 0
        with suppress(
            CommitFailedError, IllegalStateError
        ):  # it is another's by now; the group tells us so in a moment
            while await self._records():
                if self._waiting[0].offset < careful_until:
                    await self._hand_out_carefully(standing)
                    continue
                await self._hand_out(self._take(self._max_records))
                if self._offsets.uncommitted(self._partition, self.next_offset) > self._max_records:
                    await self._offsets.flush()  # so that what is handed out again fits into the careful stretch

    async def _records(self) -> bool:
        """Wait for records; False: stopped."""
        while not self._waiting and not self._stopped.is_set():
            self._woken.clear()
            await self._woken.wait()
        return not self._stopped.is_set()

    def _take(self, at_most: int) -> list[Fetched]:
        taken = [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]
        self._waiting_bytes -= sum(len(one.record.value) + len(one.record.key) for one in taken)
        if self._paused and not self._crowded(1):
            self._paused = False
            self._on_room(self._partition)
        return taken

    def _crowded(self, batches: int) -> bool:
        return len(self._waiting) > batches * self._max_records or self._waiting_bytes > batches * HIGH_WATER_BYTES

    async def _hand_out(self, batch: Sequence[Fetched]) -> None:
        """Hand a batch out whole, and after a failure one by one, so that a poisonous record takes nobody with it."""
        patience = Patience(self._settings)
        error = await self._handle([one.record for one in batch])
        if error is None:
            self._took_effect(batch[-1].offset, len(batch))
            return
        if not patience.ends(error):
            await self._wait(patience, error, len(batch))
        for one in batch:
            if self._stopped.is_set():
                return
            await self._hand_out_alone(one, Patience(self._settings, attempts=1))

    async def _hand_out_carefully(self, standing: Standing) -> None:
        """Hand out what a process may have died at.

        Most deaths are no record's fault, and a commit before each one would hold a backlog up for seconds.
        """
        first, max_tries = self._waiting[0].offset, self._settings.max_tries
        begun = standing.begun if first == standing.offset else 0
        if begun >= max_tries:
            await self._give_up(self._take(1)[0], _DIED, begun)
            return
        batch = self._take(1 if first < standing.until else isqrt(2 * self._max_records))
        alone = len(batch) == 1
        times = begun + 1 if alone else min(begun + 1, max_tries - 1)  # none is given up that was never alone
        await self._offsets.write(self._partition, Standing(first, times, batch[-1].offset + 1))
        if alone:
            await self._hand_out_alone(batch[0], Patience(self._settings, attempts=begun))
        else:
            await self._hand_out(batch)

    async def _hand_out_alone(self, one: Fetched, patience: Patience) -> None:
        """Try a record until it takes effect, is given up, or we are stopped."""
        while not self._stopped.is_set():
            error = await self._handle([replace(one.record, attempts=patience.attempts)])
            if error is None:
                self._took_effect(one.offset, 1)
                return
            if patience.ends(error):
                _LOG.error("record given up", topic=one.record.topic, attempts=patience.attempts, exc_info=error)
                await self._give_up(one, describe_error(error), patience.attempts)
                return
            await self._wait(patience, error, 1)

    async def _handle(self, records: Sequence[Record]) -> Exception | None:
        """Hand records to the handler, and return what it raised.

        Raises:
            RuntimeError: the handler was cancelled, and not by us: whether it can go on nobody knows.
        """
        self.handing_out = True
        try:
            await self._handler(records)
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            raise RuntimeError("the handler was cancelled") from None
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its records are tried again
            self.handing_out = False
            return error
        self.handing_out = False
        return None

    async def _wait(self, patience: Patience, error: Exception, records: int) -> None:
        _LOG.warning(
            "records failed",
            partition=f"{self._partition.topic}/{self._partition.partition}",
            records=records,
            attempts=patience.attempts,
            error=describe_error(error),
        )
        self._counts.retries.inc(records)
        await self._pause(patience.wait_s(random.random()))  # noqa: S311 - jitter, not a secret

    async def _give_up(self, one: Fetched, error: str, attempts: int) -> None:
        """Bury a record; while Kafka does not take it, nothing moves on."""
        while not self._stopped.is_set():
            try:
                await self._bury(replace(one.record, attempts=attempts), error)
            except (*FAILURES, ImError) as not_stored:
                _LOG.warning("dead letter not stored", topic=one.record.topic, error=describe_error(not_stored))
                await self._pause(_AGAIN_S)
            else:
                self._counts.dead_letters.inc()
                self._took_effect(one.offset, 0)
                return

    def _took_effect(self, last_offset: int, records: int) -> None:
        self._counts.consumed.inc(records)
        self.next_offset = last_offset + 1
        self._offsets.done(self._partition, self.next_offset)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return
