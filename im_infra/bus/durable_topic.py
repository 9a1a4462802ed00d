"""The consumer of a topic that lies in the database."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from im_infra.bus import record_row
from im_infra.bus.abstract import Handler, Record
from im_infra.bus.consuming import Consumer, consuming
from im_infra.bus.retry import Patience, describe_error, is_away, next_stretch
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.clock import Clock
from im_infra.observability import logs
from im_infra.sql.abstract import Database

_LOG: Final = logs.get(__name__)


class DurableTopic:
    """Hands one topic's records out in order, removes them when they took effect, buries them when they do not.

    Each time a record is handed out is written down before, so that one which takes the process with it is given up too.
    A failing record holds its topic up for as long as its tries last (about 1 s by default), as in a Kafka partition:
    nothing may overtake it.

    Args:
        topic: its name.
        database: where the records lie.
        clock: wall time, for dead letters.
        settings: tries and waits.
        counts: its counters.
    """

    def __init__(
        self, topic: str, *, database: Database, clock: Clock, settings: BusSettings, counts: TopicCounts
    ) -> None:
        self._topic = topic
        self._database = database
        self._clock = clock
        self._settings = settings
        self._counts = counts
        self._consumer: Consumer | None = None
        self._patience = "", Patience(settings)  # by a record's position

    def wake(self) -> None:
        """There are new records."""
        if self._consumer is not None:
            self._consumer.wake()

    @asynccontextmanager
    async def consume(self, handler: Handler, max_records: int) -> AsyncIterator[None]:
        """Consume while the context is open."""
        consumer = self._consumer = Consumer()

        async def run() -> None:
            while not consumer.stopping:
                try:
                    handed_out = await self._round(handler, max_records, consumer)
                except Exception:  # noqa: BLE001 - the store's trouble passes, and the consumer must outlive it
                    _LOG.exception("topic not read", topic=self._topic)
                    handed_out = False
                if not handed_out:
                    await consumer.woken(self._settings.poll_interval_ms / 1000)

        try:
            async with consuming(consumer, run, name=f"bus.{self._topic}"):
                yield
        finally:
            self._consumer = None

    async def _round(self, handler: Handler, max_records: int, consumer: Consumer) -> bool:
        """Hand out what comes first; False if there is nothing."""
        first = await self._database.read(lambda connection: record_row.due(connection, self._topic, max_records))
        stretch = next_stretch(first)
        if not stretch or consumer.stopping:
            return False
        if stretch[0].attempts >= self._settings.max_tries:
            await self._give_up(stretch[0], "handed out before, and the process ended each time")
            return True
        await self._database.write(lambda connection: record_row.count_attempt(connection, stretch))
        try:
            await handler(stretch)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its records are tried again
            await self._failed(stretch, error, consumer)
        else:
            await self._database.write(lambda connection: record_row.remove(connection, stretch))
            self._counts.consumed.inc(len(stretch))
        return True

    async def _failed(self, stretch: Sequence[Record], error: Exception, consumer: Consumer) -> None:
        patience = self._patience_with(stretch[0])
        if patience.ends(error):
            _LOG.error("record given up", topic=self._topic, attempts=patience.attempts, exc_info=error)
            await self._give_up(replace(stretch[0], attempts=patience.attempts), describe_error(error))
            return
        if is_away(error):
            await self._database.write(lambda connection: record_row.uncount_attempt(connection, stretch))
        _LOG.warning(
            "records failed",
            topic=self._topic,
            records=len(stretch),
            attempts=patience.attempts,
            error=describe_error(error),
        )
        self._counts.retries.inc(len(stretch))
        await consumer.pause(patience.wait_s(random.random()))  # noqa: S311 - jitter, not a secret

    def _patience_with(self, record: Record) -> Patience:
        """Ours with the record that comes first; another record has one of its own."""
        position, patience = self._patience
        if position != record.position:
            patience = Patience(self._settings, attempts=record.attempts)
            self._patience = record.position, patience
        return patience

    async def _give_up(self, record: Record, error: str) -> None:
        now_ms = self._clock.now_ms()
        await self._database.write(lambda connection: record_row.bury(connection, record, error, now_ms, stored=True))
        self._counts.dead_letters.inc()
