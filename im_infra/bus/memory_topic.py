"""A topic whose records go from hand to hand: publishing returns when the handler took effect.

Nothing is stored before that, so a process that dies forgets what waits; whoever publishes here has a guard of its own
(the outbox, for `im.fanout`). Only what is given up is stored, as a dead letter.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from im_infra import error_table
from im_infra.bus.abstract import Handler, Record
from im_infra.bus.backlog import Backlog, Waiting
from im_infra.bus.consuming import Consumer, consuming
from im_infra.bus.retry import Patience, describe_error
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

Bury = Callable[[Record, str], Awaitable[None]]


class MemoryTopic:
    """One topic in memory.

    Args:
        topic: its name.
        settings: bounds, tries and waits.
        counts: its counters.
        bury: stores a dead letter.
    """

    def __init__(self, topic: str, *, settings: BusSettings, counts: TopicCounts, bury: Bury) -> None:
        self._topic = topic
        self._settings = settings
        self._counts = counts
        self._bury = bury
        self._backlog = Backlog(settings.max_waiting)  # full: publish answers OVERLOADED
        self._consumer: Consumer | None = None

    @property
    def waiting(self) -> int:
        """Records that wait for the consumer."""
        return len(self._backlog)

    async def publish(self, record: Record) -> None:
        """Return when the record took effect, or was given up and lies among the dead letters.

        Raises:
            ImError: UNAVAILABLE: nobody consumes, or stopped before it took effect; OVERLOADED: too many wait.
        """
        consumer = self._consumer
        if consumer is None:
            raise self._not_consumed()
        outcome = self._backlog.add(record)
        self._counts.published.inc()
        consumer.wake()
        await outcome

    @asynccontextmanager
    async def consume(self, handler: Handler, max_records: int) -> AsyncIterator[None]:
        """Consume while the context is open; what still waits when it closes fails with UNAVAILABLE."""
        consumer = self._consumer = Consumer()

        async def run() -> None:
            try:
                while not consumer.stopping:
                    await consumer.woken()
                    while len(self._backlog) and not consumer.stopping:
                        await self._hand_out(self._backlog.take(max_records), handler, consumer)
            finally:  # however it ends: nobody may wait for a consumer that is gone
                self._consumer = None
                self._give_back(self._backlog.take(len(self._backlog)))

        async with consuming(consumer, run, name=f"bus.{self._topic}"):
            yield

    async def _hand_out(self, batch: Sequence[Waiting], handler: Handler, consumer: Consumer) -> None:
        """Hand a batch out whole, and after a failure one by one, so that a poisonous record takes nobody with it."""
        try:
            try:
                await handler([waiting.record for waiting in batch])
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its records are tried again
                patience = Patience(self._settings)
                patience.ends(error)  # the first failure of a batch never is: nobody knows which record it was
                await self._wait(patience, error, batch, consumer)
            else:
                self._took_effect(batch)
                return
            for waiting in batch:
                await self._hand_out_alone(waiting, handler, consumer)
        finally:
            self._give_back(batch)  # only what was neither done nor given up: the consumer stops

    async def _hand_out_alone(self, waiting: Waiting, handler: Handler, consumer: Consumer) -> None:
        """Further tries of a record that failed once, until it takes effect, is given up, or the consumer stops."""
        patience = Patience(self._settings, attempts=1)
        while not consumer.stopping:
            try:
                await handler([replace(waiting.record, attempts=patience.attempts)])
            except Exception as error:  # noqa: BLE001 - as above
                if patience.ends(error):
                    await self._give_up(waiting, error, patience.attempts)
                    return
                await self._wait(patience, error, [waiting], consumer)
            else:
                self._took_effect([waiting])
                return

    async def _wait(self, patience: Patience, error: Exception, batch: Sequence[Waiting], consumer: Consumer) -> None:
        _LOG.warning(
            "records failed",
            topic=self._topic,
            records=len(batch),
            attempts=patience.attempts,
            error=describe_error(error),
        )
        self._counts.retries.inc(len(batch))
        await consumer.pause(patience.wait_s(random.random()))  # noqa: S311 - jitter, not a secret

    async def _give_up(self, waiting: Waiting, error: Exception, attempts: int) -> None:
        _LOG.error("record given up", topic=self._topic, attempts=attempts, exc_info=error)
        try:
            await self._bury(replace(waiting.record, attempts=attempts), describe_error(error))
        except Exception as not_stored:  # noqa: BLE001 - the publisher is told, the consumer goes on
            waiting.failed(not_stored)
        else:
            self._counts.dead_letters.inc()
            waiting.done()

    def _took_effect(self, batch: Sequence[Waiting]) -> None:
        self._counts.consumed.inc(len(batch))
        for waiting in batch:
            waiting.done()

    def _give_back(self, batch: Sequence[Waiting]) -> None:
        for waiting in batch:
            waiting.failed(self._not_consumed())

    def _not_consumed(self) -> ImError:
        return ImError(error_table.UNAVAILABLE, f"nobody consumes {self._topic}", retry_after_ms=1_000)
