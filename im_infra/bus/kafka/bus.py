"""The bus of a cluster of many processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Self

from aiokafka import TopicPartition

from im_infra import aio
from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC, DeadLetter, Handler
from im_infra.bus.consuming import Consumer, consuming
from im_infra.bus.kafka.connection import Connection
from im_infra.bus.kafka.dead_letters import DeadLetters
from im_infra.bus.kafka.group import GroupConsumer
from im_infra.bus.kafka.offsets import Offsets
from im_infra.bus.kafka.partition import Partition
from im_infra.bus.kafka.producing import Producer
from im_infra.bus.kafka.topics import MAX_RECORD_BYTES, Topics
from im_infra.bus.settings import BusSettings
from im_infra.bus.topic_counts import TopicCounts
from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics

MAX_HEADER_BYTES: Final = 16 * 1024
_FIRST_TRY_S: Final = 10.0


class KafkaBus:
    """Topics in Kafka; see `abstract.Bus`. Open it with `async with`.

    It opens though no broker answers: publishing fails with UNAVAILABLE and consumers wait until one does.

    Publishing returns when every replica in sync has the record. A partition's records go to one member of a group at a time, in
    order; those of different partitions side by side. A record is given up after `max_tries` errors of its own, or when so many
    processes ended at it: exactly then where it was first in its batch, two processes later where it was in the middle, since
    only the beginning of a batch is written down.

    A member that was silent for `session_timeout_s` (a machine that slept) may finish a batch that another has by then: its
    commit is refused, and records may take effect twice, also out of order. Handlers take that.

    Args:
        settings: bounds, tries and waits, and how Kafka is reached.
        clock: wall time, for dead letters.
        metrics: where records are counted.
        node_id: this process's lasting name, for static membership; empty: it has none.

    Raises:
        OSError: a certificate cannot be read.
    """

    def __init__(self, settings: BusSettings, *, clock: Clock, metrics: Metrics, node_id: str = "") -> None:
        self._settings = settings
        self._metrics = metrics
        self._node_id = node_id
        self._connection = Connection(settings.kafka, node_id)
        self._topics = Topics(self._connection, settings.kafka)
        self._producer = Producer(self._connection, self._topics, (FANOUT_TOPIC, DEAD_LETTER_TOPIC), settings)
        self._dead_letters = DeadLetters(self._connection, self._topics, self._producer, clock)
        self._counts: dict[str, TopicCounts] = {}
        self._members: dict[tuple[str, str], GroupConsumer] = {}  # by topic and group
        self._running: asyncio.Task[None] | None = None
        self._publish_s = metrics.histogram("im_bus_publish_seconds")
        metrics.gauge("im_bus_waiting_records").set_function(lambda: self._producer.waiting)

    @property
    def members(self) -> list[GroupConsumer]:
        """What this process consumes now."""
        return list(self._members.values())

    async def __aenter__(self) -> Self:
        self._running = aio.spawn(self._producer.run(), name="bus.kafka.producer")
        try:
            async with asyncio.timeout(_FIRST_TRY_S):
                await self._producer.tried()
        except TimeoutError:
            pass
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None, "it was entered"
        self._running.cancel()
        await asyncio.wait({self._running})
        await self._producer.close()

    async def publish(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        """See `abstract.Bus.publish`. UNAVAILABLE comes at once while Kafka is away, else within `publish_timeout_s`.

        Raises:
            ValueError: the record is too large, or meant for `im.dlq`.
        """
        if topic == DEAD_LETTER_TOPIC:
            raise ValueError("a record becomes a dead letter by failing, not by being published")
        if len(key) + len(value) > MAX_RECORD_BYTES:
            raise ValueError(f"a record has at most {MAX_RECORD_BYTES} bytes")
        encoded = {name: text.encode() for name, text in headers.items()} if headers else None
        if encoded and sum(len(name) + len(text) for name, text in encoded.items()) > MAX_HEADER_BYTES:
            raise ValueError(f"a record's headers have at most {MAX_HEADER_BYTES} bytes")
        began = time.perf_counter()
        await self._producer.send(topic, key=key, value=value, headers=encoded)
        self._publish_s.observe(time.perf_counter() - began)
        self._counts_of(topic).published.inc()

    @asynccontextmanager
    async def consume(self, topic: str, *, group: str, handler: Handler, max_records: int = 100) -> AsyncIterator[None]:
        """See `abstract.Bus.consume`.

        Raises:
            ValueError: this process consumes the topic in that group already, or it is `im.dlq`.
        """
        if topic == DEAD_LETTER_TOPIC:
            raise ValueError("dead letters are not consumed; they are read and redriven")
        if (topic, group) in self._members:
            raise ValueError(f"{topic} is consumed by {group} already")
        counts = self._counts_of(topic)

        def make(one: TopicPartition, offsets: Offsets, on_room: Callable[[TopicPartition], None]) -> Partition:
            return Partition(
                one,
                handler=handler,
                max_records=max_records,
                offsets=offsets,
                settings=self._settings,
                counts=counts,
                bury=self._dead_letters.bury,
                on_room=on_room,
            )

        member = self._members[topic, group] = GroupConsumer(
            topic,
            group=group,
            member=self._node_id,
            connection=self._connection,
            topics=self._topics,
            settings=self._settings,
            make_partition=make,
        )
        self._tell_load(topic)
        stop = Consumer()
        try:
            async with consuming(stop, lambda: member.run(stop), name=f"bus.{topic}"):
                yield
        finally:
            del self._members[topic, group]

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """The oldest dead letters; raises ImError (UNAVAILABLE) when they cannot be read."""
        return list((await self._dead_letters.read()).values())[:limit]

    async def redrive(self, dead_letter_id: str) -> bool:
        """See `abstract.Bus.redrive`. Cancelled, or cut off in the middle, it may have been published and still be listed.

        Raises:
            ImError: UNAVAILABLE, OVERLOADED; the dead letter then remains.
        """
        letter = (await self._dead_letters.read()).get(dead_letter_id)
        if letter is None:
            return False
        record = letter.record
        await self.publish(record.topic, key=record.key, value=record.value, headers=record.headers)
        await self._dead_letters.forget(dead_letter_id)
        return True

    async def check(self) -> None:
        """See `abstract.Bus.check`."""
        await self._producer.check()

    def _tell_load(self, topic: str) -> None:
        """Have the gauges of a topic asked for when somebody looks, never counted on the way."""

        def total(what: Callable[[GroupConsumer], int]) -> Callable[[], float]:
            return lambda: sum(what(member) for (one, _), member in self._members.items() if one == topic)

        self._metrics.gauge("im_bus_lag_items").labels(topic).set_function(total(lambda member: member.lag))
        self._metrics.gauge("im_bus_fetched_items").labels(topic).set_function(total(lambda member: member.waiting))
        self._metrics.gauge("im_bus_partitions").labels(topic).set_function(total(lambda member: member.partitions))

    def _counts_of(self, topic: str) -> TopicCounts:
        if topic not in self._counts:
            self._counts[topic] = TopicCounts(self._metrics, topic)
        return self._counts[topic]
