"""The bus of a process that is a cluster of its own."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

from im_infra.bus import record_row
from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC, DeadLetter, Handler, Record
from im_infra.bus.durable_topic import DurableTopic
from im_infra.bus.memory_topic import MemoryTopic
from im_infra.bus.record_store import RecordStore
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.clock import Clock, SystemClock
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database

MAX_RECORD_BYTES: Final = 1024 * 1024
MAX_HEADER_CHARACTERS: Final = 1_500
"""Of all headers as JSON; the column holds 2,000, and a dead letter gets two more."""


class EmbeddedBus:
    """`im.fanout` in memory, every other topic in the table `bus_record`.

    Publishing to `im.fanout` returns when the consumer's handler took effect. Any other record is stored when publishing
    returns, and stays stored until its effect. A topic has one consumer at a time; records that come before it wait for
    it, except in `im.fanout`, where publishing without a consumer fails. Only redriven records of `im.fanout` are stored;
    its handler may be given one while it is at others.

    Args:
        database: where records and dead letters lie.
        clock: wall time, for records and dead letters.
        metrics: where records are counted.
        settings: bounds, tries and waits.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        *,
        metrics: Metrics | None = None,
        settings: BusSettings | None = None,
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._metrics = metrics or Metrics()
        self._settings = settings or BusSettings()
        self._consumed: dict[str, str] = {}  # topic → the group that consumes it
        self._counts: dict[str, TopicCounts] = {}
        self._durable: dict[str, DurableTopic] = {}
        self._fanout = MemoryTopic(
            FANOUT_TOPIC, settings=self._settings, counts=self._counts_of(FANOUT_TOPIC), bury=self._bury
        )
        lag = self._metrics.gauge("im_bus_lag_items").labels(FANOUT_TOPIC)
        lag.set_function(lambda: self._fanout.waiting)
        self._store = RecordStore(database, self._clock, max_waiting=self._settings.max_waiting, on_stored=self._wake)

    async def publish(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        """See `abstract.Bus.publish`.

        Raises:
            ImError: UNAVAILABLE: nobody consumes `im.fanout`; OVERLOADED: too many wait; any error of the database.
            ValueError: the record is over 1 MiB, its headers are over 1,500 characters, or the topic is `im.dlq`.
        """
        record = Record(topic, key, value, dict(headers or {}))
        _check(record)
        if topic == FANOUT_TOPIC:
            await self._fanout.publish(record)
        else:
            await self._store.add(record)
            self._counts_of(topic).published.inc()

    @asynccontextmanager
    async def consume(self, topic: str, *, group: str, handler: Handler, max_records: int = 100) -> AsyncIterator[None]:
        """See `abstract.Bus.consume`.

        Raises:
            ValueError: the topic has a consumer already, or is `im.dlq`, whose records are read by `dead_letters`.
        """
        if topic == DEAD_LETTER_TOPIC:
            raise ValueError("dead letters are not consumed; they are read and redriven")
        if topic in self._consumed:
            raise ValueError(f"{topic} is consumed by {self._consumed[topic]} already")
        self._consumed[topic] = group
        try:
            async with AsyncExitStack() as consumers:
                await consumers.enter_async_context(self._durable_topic(topic).consume(handler, max_records))
                if topic == FANOUT_TOPIC:
                    await consumers.enter_async_context(self._fanout.consume(handler, max_records))
                yield
        finally:
            del self._consumed[topic]

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """The oldest dead letters; raises any error of the database."""
        return await self._database.read(lambda connection: record_row.dead_letters(connection, limit))

    async def redrive(self, dead_letter_id: str) -> bool:
        """See `abstract.Bus.redrive`. Works from any process: whoever consumes the topic finds the record stored.

        Safe to cancel: moved or not.

        Raises:
            ImError: any error of the database; the dead letter then remains.
        """
        if not dead_letter_id.isdecimal():
            return False
        number = int(dead_letter_id)
        letter = await self._database.read(lambda connection: record_row.dead_letter(connection, number))
        if letter is None:
            return False
        fresh = replace(letter.record, attempts=0, position="")
        now_ms = self._clock.now_ms()
        moved = await self._database.write(
            lambda connection: record_row.move_dead_letter(connection, number, fresh, now_ms)
        )
        self._wake({fresh.topic})
        return moved

    async def check(self) -> None:
        """See `abstract.Bus.check`."""
        await self._database.check()

    async def close(self) -> None:
        """Wait for what is being stored; consumers are closed before, by their contexts."""
        await self._store.close()

    async def _bury(self, record: Record, error: str) -> None:
        now_ms = self._clock.now_ms()
        await self._database.write(lambda connection: record_row.bury(connection, record, error, now_ms, stored=False))

    def _wake(self, topics: set[str]) -> None:
        for topic in topics & self._durable.keys():
            self._durable[topic].wake()

    def _durable_topic(self, topic: str) -> DurableTopic:
        if topic not in self._durable:
            self._durable[topic] = DurableTopic(
                topic,
                database=self._database,
                clock=self._clock,
                settings=self._settings,
                counts=self._counts_of(topic),
            )
        return self._durable[topic]

    def _counts_of(self, topic: str) -> TopicCounts:
        if topic not in self._counts:
            self._counts[topic] = TopicCounts(self._metrics, topic)
        return self._counts[topic]


def _check(record: Record) -> None:
    if record.topic == DEAD_LETTER_TOPIC:
        raise ValueError("a record becomes a dead letter by failing, not by being published")
    if len(record.key) + len(record.value) > MAX_RECORD_BYTES:
        raise ValueError(f"a record has at most {MAX_RECORD_BYTES} bytes")
    if len(json.dumps(record.headers)) > MAX_HEADER_CHARACTERS:
        raise ValueError(f"a record's headers have at most {MAX_HEADER_CHARACTERS} characters")
