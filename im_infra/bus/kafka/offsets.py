"""How far each partition took effect, and how often what comes next was begun: both in Kafka's own commits.

A commit is an offset and a short text. The text is the number of times the record **at** that offset was handed out without
an end being written down: 1 while a process is at work (it may die with that record), more where processes died at it, 0
where one stopped in order. So the next process knows which record may be the one that took its predecessor with it. Behind it
may stand the offset up to which records were handed out together: then it is one of those, and else one of many.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from im_infra.bus.kafka.connection import FAILURES, unavailable
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

_COMMIT_S: Final = 5.0
_GATHER_S: Final = 0.1
"""Commits gather for so long: what took effect in it is handed out again after a crash, and dropped as a repeat."""
_AT_WORK: Final = 1


class Standing(NamedTuple):
    """Where a partition stands."""

    offset: int
    """Of the next record."""
    begun: int
    """How often that record was handed out before, and its process ended."""
    until: int = 0
    """Where what was handed out with it ends; 0: nobody knows."""


class Offsets:
    """Commits for one member of a group.

    Args:
        consumer: the member.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._dirty: dict[TopicPartition, Standing] = {}  # bounded by the partitions
        self._committed: dict[TopicPartition, int] = {}
        self._woken = asyncio.Event()
        self._committing = asyncio.Lock()

    async def begin(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Standing]:
        """Read where partitions stand, and write that we are at work on them.

        Raises:
            KafkaError, OSError, TimeoutError: it could not be read or written.
        """
        self._dirty.clear()
        self._committed.clear()
        if not partitions:
            return {}
        async with asyncio.timeout(_COMMIT_S):
            # No public way: `consumer.committed` leaves the text out.
            found = await self._consumer._coordinator.fetch_committed_offsets(list(partitions))  # noqa: SLF001 - as said
            fresh = [partition for partition in partitions if partition not in found or found[partition].offset < 0]
            first = await self._consumer.beginning_offsets(fresh) if fresh else {}
        standings = {partition: Standing(offset, 0) for partition, offset in first.items()}
        for partition in partitions:
            if partition not in standings:
                standings[partition] = _read(found[partition].offset, found[partition].metadata)
        await self._commit({one: at._replace(begun=max(at.begun, _AT_WORK)) for one, at in standings.items()})
        return standings

    def done(self, partition: TopicPartition, offset: int) -> None:
        """What lies before `offset` took effect; it is committed within 0.1 s."""
        self._dirty[partition] = Standing(offset, _AT_WORK)
        self._woken.set()

    def uncommitted(self, partition: TopicPartition, offset: int) -> int:
        """How many records before `offset` would be handed out again if this process died now."""
        return offset - self._committed.get(partition, offset)

    async def write(self, partition: TopicPartition, standing: Standing) -> None:
        """Commit now: what lies before its offset took effect, and what it says of the record there.

        Raises:
            KafkaError, OSError, TimeoutError: it could not be committed.
        """
        async with self._committing:
            self._dirty.pop(partition, None)
            await self._commit({partition: standing})

    async def flush(self) -> None:
        """Commit what took effect; raises as `write` does, and then it stays to be committed."""
        async with self._committing:
            dirty, self._dirty = self._dirty, {}
            try:
                await self._commit(dirty)
            except BaseException:
                self._dirty = {**dirty, **self._dirty}
                raise

    async def finish(self, stopped: Mapping[TopicPartition, int]) -> None:
        """Commit for the last time; those of `stopped` stand at their offset with nothing begun.

        It is not tried again: what is not committed is handed out again, to whoever has the partition then.
        """
        self._dirty |= {partition: Standing(offset, 0) for partition, offset in stopped.items()}
        try:
            await self.flush()
        except FAILURES as error:
            _LOG.warning("offsets not committed", partitions=len(self._dirty), reason=unavailable(error).message)
            self._dirty.clear()  # they are another's from now on, or ours from where they were

    async def run(self) -> None:
        """Commit what gathers, until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(_GATHER_S)
            self._woken.clear()
            try:
                await self.flush()
            except (
                CommitFailedError,
                IllegalStateError,
            ):  # the partitions are others' by now, and with them the records
                self._dirty.clear()
            except FAILURES as error:
                _LOG.warning("offsets not committed", partitions=len(self._dirty), reason=unavailable(error).message)
                self._woken.set()

    async def _commit(self, standings: Mapping[TopicPartition, Standing]) -> None:
        if not standings:
            return
        async with asyncio.timeout(_COMMIT_S):
            await self._consumer.commit({one: (at.offset, _text(at)) for one, at in standings.items()})
        self._committed.update({one: at.offset for one, at in standings.items()})


def _text(standing: Standing) -> str:
    return f"{standing.begun} {standing.until}" if standing.until else str(standing.begun)


def _read(offset: int, text: str) -> Standing:
    """What a commit says; another tool's commit says nothing."""
    numbers = text.split(" ")
    if len(numbers) > 2 or not all(number.isdecimal() and len(number) < 20 for number in numbers):
        return Standing(offset, 0)
    return Standing(offset, *map(int, numbers))
