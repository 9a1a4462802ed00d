"""Our share of a topic's partitions, as Kafka's group protocol assigns it."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from im_infra.aio import cancelled_from_outside
from im_infra.bus.abstract import Record
from im_infra.bus.consuming import Consumer
from im_infra.bus.kafka.connection import FAILURES, Connection, unavailable
from im_infra.bus.kafka.offsets import Offsets
from im_infra.bus.kafka.partition import Fetched, Partition
from im_infra.bus.kafka.topics import Topics
from im_infra.bus.settings import BusSettings
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

HAND_OVER_S: Final = 3.0
"""How long a handler may go on with what it has when a partition goes to another; then it is cancelled."""
_POLL_MS: Final = 1_000
_LONG_POLL_MS: Final = 250
"""How long a broker waits for records: a partition that was paused may wait so long until it is fetched again."""
_STOP_S: Final = 1.0
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 3.0

MakePartition = Callable[[TopicPartition, Offsets, Callable[[TopicPartition], None]], Partition]


class GroupConsumer:
    """One member of a group that consumes one topic.

    Membership is static where the process has a name: a restart within `session_timeout_s` finds its partitions again, and
    nobody else's move.

    Args:
        topic: one of ours, without the prefix.
        group: likewise.
        member: this member's lasting name; empty: it has none.
        connection: to the brokers.
        topics: makes the topic where it is missing.
        settings: times.
        make_partition: for a partition that becomes ours.
    """

    def __init__(
        self,
        topic: str,
        *,
        group: str,
        member: str,
        connection: Connection,
        topics: Topics,
        settings: BusSettings,
        make_partition: MakePartition,
    ) -> None:
        self._topic = topic
        self._group = group
        self._member = member
        self._connection = connection
        self._topics = topics
        self._settings = settings
        self._make_partition = make_partition
        self._membership: Membership | None = None

    @property
    def lag(self) -> int:
        """Records of our partitions that did not take effect yet, as far as the brokers have told."""
        return self._membership.lag if self._membership is not None else 0

    @property
    def partitions(self) -> int:
        """How many partitions are ours."""
        return self._membership.count if self._membership is not None else 0

    @property
    def waiting(self) -> int:
        """Records that were fetched and wait for their handler."""
        return self._membership.waiting if self._membership is not None else 0

    async def run(self, stop: Consumer) -> None:
        """Be a member until asked to stop; again after whatever ends a membership."""
        wait_s = _FIRST_WAIT_S
        while not stop.stopping:
            try:
                await self._topics.ensure([self._topic])
                async with self._join() as membership:
                    wait_s = _FIRST_WAIT_S
                    await membership.run(stop)
            except* FAILURES as errors:
                _LOG.warning("topic not consumed", topic=self._topic, reason=unavailable(_first(errors)).message)
            except* Exception as errors:  # noqa: BLE001 - a bug of ours or theirs; the topic must not stay unread for it
                _LOG.error("consuming broke off", topic=self._topic, exc_info=errors)
            if not stop.stopping:
                await stop.pause(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                wait_s = min(_LONGEST_WAIT_S, wait_s * 2)

    @asynccontextmanager
    async def _join(self) -> AsyncIterator["Membership"]:
        kafka = self._settings.kafka
        session_ms = round(kafka.session_timeout_s * 1000)
        # Joining takes as long as the slowest member hands over: such a request must be waited for.
        options = self._connection.options(request_timeout_s=kafka.session_timeout_s + kafka.request_timeout_s)
        consumer = AIOKafkaConsumer(
            **options,
            group_id=self._topics.group(self._group, self._topic),
            group_instance_id=self._member or None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_LONG_POLL_MS,
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 10,
            # Its own class: the assignor remembers our partitions in class attributes.
            partition_assignment_strategy=[type("Sticky", (StickyPartitionAssignor,), {})],
        )
        membership = self._membership = Membership(consumer, topic=self._topic, make_partition=self._make_partition)
        try:
            consumer.subscribe([self._topics.name(self._topic)], listener=membership)
            yield membership
        finally:
            self._membership = None
            await _leave(consumer)


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One stay in the group: partitions come and go, each with a task of its own.

    Args:
        consumer: not started.
        topic: ours, without the prefix.
        make_partition: for one that becomes ours.
    """

    def __init__(self, consumer: AIOKafkaConsumer, *, topic: str, make_partition: MakePartition) -> None:
        self._consumer = consumer
        self._topic = topic
        self._make_partition = make_partition
        self._offsets = Offsets(consumer)
        self._partitions: dict[TopicPartition, Partition] = {}
        self._working: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def lag(self) -> int:
        """See `GroupConsumer.lag`."""
        assigned = self._consumer.assignment()
        mine = ((one, partition.next_offset) for one, partition in self._partitions.items() if one in assigned)
        return sum(max(0, (self._consumer.highwater(one) or 0) - next_offset) for one, next_offset in mine)

    @property
    def waiting(self) -> int:
        """See `GroupConsumer.waiting`."""
        return sum(partition.waiting for partition in self._partitions.values())

    @property
    def count(self) -> int:
        """How many partitions are ours."""
        return len(self._partitions)

    async def run(self, stop: Consumer) -> None:
        """Consume until asked to stop.

        Raises:
            ExceptionGroup: of KafkaError, OSError, TimeoutError: the membership is of no use any more.
        """
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            helpers = [
                tasks.create_task(self._offsets.run(), name=f"bus.{self._topic}.offsets"),
                tasks.create_task(self._fetch(), name=f"bus.{self._topic}.fetch"),
            ]
            await stop.until_stopped()
            helpers[1].cancel()
            await self._hand_over()
            helpers[0].cancel()

    async def on_partitions_revoked(self, _revoked: Collection[TopicPartition]) -> None:
        """All partitions go; some of them come back with the next assignment. Nobody has them meanwhile."""
        await self._hand_over()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """These are ours."""
        assert self._tasks is not None, "it runs before it joins"
        for partition in assigned:
            self._ours(partition)
        work = self._work()
        try:
            self._working = self._tasks.create_task(work, name=f"bus.{self._topic}")
        except RuntimeError:  # the membership ends: whoever gets them next goes on where we stopped
            work.close()
            return
        if assigned:
            _LOG.info("partitions assigned", topic=self._topic, partitions=sorted(one.partition for one in assigned))

    async def _fetch(self) -> None:
        try:
            await self._consumer.start()
            await self._take()
        except asyncio.CancelledError as error:
            if cancelled_from_outside():
                raise
            raise KafkaError("the client cancelled itself") from error  # else the group would run on without it

    async def _take(self) -> None:
        while True:
            for partition, records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).items():
                # Records may come a moment before we are told that the partition is ours.
                if self._ours(partition).add([self._fetched(record) for record in records]):
                    self._consumer.pause(partition)

    def _ours(self, partition: TopicPartition) -> Partition:
        known = self._partitions.get(partition)
        if known is None:
            known = self._partitions[partition] = self._make_partition(partition, self._offsets, self._resume)
        return known

    def _resume(self, partition: TopicPartition) -> None:
        if partition in self._consumer.assignment():
            self._consumer.resume(partition)

    async def _work(self) -> None:
        """Hand out what the partitions bring, until all of them are stopped."""
        standings = await self._offsets.begin(list(self._partitions))
        async with asyncio.TaskGroup() as tasks:
            for partition, standing in standings.items():
                tasks.create_task(self._partitions[partition].run(standing), name=f"bus.{self._topic}")

    async def _hand_over(self) -> None:
        """Finish what is handed out, write down how far we came, and let go of every partition."""
        partitions, working = self._partitions, self._working
        for partition in partitions.values():
            partition.stop()
        if working is not None and not working.done():
            await asyncio.wait({working}, timeout=HAND_OVER_S)
            working.cancel()
            await asyncio.wait({working})
        stopped = {
            one: partition.next_offset
            for one, partition in partitions.items()
            if partition.next_offset and not partition.handing_out
        }
        await self._offsets.finish(stopped)
        self._partitions, self._working = {}, None

    def _fetched(self, record: ConsumerRecord) -> Fetched:
        return Fetched(
            record.offset,
            Record(
                self._topic,
                record.key or b"",
                record.value or b"",
                {name: value.decode(errors="replace") for name, value in record.headers},
                position=f"{record.partition}/{record.offset}",
            ),
        )


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group, or let go of the connections at least; in a second each."""
    try:
        with suppress(*FAILURES):
            async with asyncio.timeout(_STOP_S):
                await consumer.stop()
    except asyncio.CancelledError:
        if cancelled_from_outside():
            raise
    finally:
        with suppress(*FAILURES):
            async with asyncio.timeout(_STOP_S):
                # No public way: a `stop` that broke off left them open, and does nothing the second time.
                await consumer._client.close()  # noqa: SLF001 - as said


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of them, for people."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
