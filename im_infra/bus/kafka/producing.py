"""Records on their way to the brokers, and whether these can be reached."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from im_infra import aio, error_table
from im_infra.bus.backlog import MAX_WAITING_BYTES
from im_infra.bus.kafka.connection import FAILURES, Connection, unavailable
from im_infra.bus.kafka.topics import MAX_STORED_BYTES, Topics
from im_infra.bus.settings import BusSettings
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

_BATCH_BYTES: Final = 256 * 1024
_CLOSE_S: Final = 5.0
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0
_PROBE_S: Final = 0.5


class Producer:
    """Sends records, each acknowledged by every replica in sync, in the order they are given per partition.

    A record that is not acknowledged in time says that the brokers are away: until one is acknowledged, sending fails at once.
    What was given before is tried on (an idempotent client numbers its batches and can leave none out), so it may be written
    long after its sender was told otherwise. A record that is refused for good ends the client for the same reason, and another
    connects.

    Args:
        connection: to the brokers.
        topics: made before anything is sent.
        needed: topics that are there before it counts as connected.
        settings: bounds and times.
    """

    def __init__(self, connection: Connection, topics: Topics, needed: tuple[str, ...], settings: BusSettings) -> None:
        self._connection = connection
        self._topics = topics
        self._needed = needed
        self._settings = settings
        self._client: AIOKafkaProducer | None = None
        self._trouble = "not connected yet"
        """Why nothing can be sent; empty: it can."""
        self._changed = asyncio.Event()
        self._tried = asyncio.Event()
        self._prepared: set[str] = set()
        self._preparing = asyncio.Lock()
        self._unsettled = 0  # given to the client: bounded by one full and one open batch a partition
        self._waiting = 0  # at `max_waiting`, or 64 MiB of them: sending answers OVERLOADED
        self._waiting_bytes = 0

    @property
    def waiting(self) -> int:
        """Records whose senders wait."""
        return self._waiting

    async def tried(self) -> None:
        """Return when the first attempt to connect has ended, well or not."""
        await self._tried.wait()

    async def run(self) -> None:
        """Connect, and again whenever a client was given up, until cancelled."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                await self._topics.ensure(self._needed)
                self._client = client = await self._connect()
            except FAILURES as error:
                self._away(await self._connection.why_not() or f"{type(error).__name__}: {error}")
                self._tried.set()
                await asyncio.sleep(wait_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                wait_s = min(_LONGEST_WAIT_S, wait_s * 2)
                continue
            wait_s = _FIRST_WAIT_S
            self._back()
            self._tried.set()
            while self._client is client:
                self._changed.clear()
                await self._changed.wait()
                await self._probe(client)

    async def send(
        self, topic: str, *, key: bytes, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Return when every replica in sync has the record. Cancelled, it may be written or not.

        Args:
            topic: one of ours, without the prefix.
            key: decides the partition.
            value: None deletes what a compacted topic has under the key.
            headers: by name.

        Raises:
            ImError: UNAVAILABLE: the brokers are away, or did not acknowledge in time (it may be written all the same);
                OVERLOADED: too many wait.
        """
        client = self._client
        if client is None or self._trouble:
            raise unavailable(self._trouble)
        size = len(key) + len(value or b"")
        if self._waiting >= self._settings.max_waiting or self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise ImError(error_table.OVERLOADED, f"the buffer of {topic} is full", retry_after_ms=500)
        self._waiting += 1
        self._waiting_bytes += size
        try:
            async with asyncio.timeout(self._settings.kafka.publish_timeout_s):
                if topic not in self._prepared:
                    await self._prepare(client, topic)
                name, pairs = self._topics.name(topic), list(headers.items()) if headers else None
                written = await client.send(name, value, key, headers=pairs)
                self._unsettled += 1
                written.add_done_callback(self._settled)
                await asyncio.shield(written)
        except TimeoutError as error:
            self._away("no acknowledgement in time")
            raise unavailable(self._trouble) from error
        except FAILURES as error:
            failed = unavailable(error)
            self._give_up(client, failed)
            raise failed from error
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size

    async def check(self) -> None:
        """Raise `ImError(UNAVAILABLE)` unless a broker answers and records are taken."""
        client = self._client
        if client is None or self._trouble:
            raise unavailable(self._trouble)
        try:
            await client.client.fetch_all_metadata()
        except FAILURES as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        """Wait until what was given is acknowledged, at most 5 s, and disconnect."""
        client, self._client = self._client, None
        self._trouble = "closed"
        if client is not None:
            await _close(client)

    async def _connect(self) -> AIOKafkaProducer:
        kafka = self._settings.kafka
        client = AIOKafkaProducer(
            **self._connection.options(),
            acks="all",
            enable_idempotence=True,
            linger_ms=kafka.linger_ms,
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * MAX_STORED_BYTES,
        )
        try:
            async with asyncio.timeout(2 * kafka.request_timeout_s):
                await client.start()
        except BaseException:
            await _close(client)
            raise
        return client

    async def _prepare(self, client: AIOKafkaProducer, topic: str) -> None:
        """Make the topic where it is missing, and learn its leaders: those who wait for it then send in their order."""
        async with self._preparing:
            if topic not in self._prepared:
                await self._topics.ensure([topic])
                await client.partitions_for(self._topics.name(topic))
                self._prepared.add(topic)

    def _settled(self, written: "asyncio.Future[Any]") -> None:
        """A batch that was tried on got through (or its client ended)."""
        self._unsettled -= 1
        if not written.cancelled() and written.exception() is None and self._client is not None:
            self._back()

    async def _probe(self, client: AIOKafkaProducer) -> None:
        """While nothing is under way that would tell, ask whether a broker answers."""
        brokers = client.client
        while self._trouble and client is self._client:
            await asyncio.sleep(_PROBE_S)
            if not self._unsettled:
                with suppress(*FAILURES):
                    await brokers.fetch_all_metadata()
                    self._back()

    def _give_up(self, client: AIOKafkaProducer, error: ImError) -> None:
        if client is self._client:
            self._client = None
            self._prepared.clear()
            self._away(error.message)
            aio.spawn(_close(client), name="bus.kafka.close")

    def _away(self, trouble: str) -> None:
        if trouble != self._trouble:
            _LOG.warning("kafka away", reason=trouble)
        self._trouble = trouble
        self._changed.set()

    def _back(self) -> None:
        if self._trouble:
            _LOG.info("kafka reached")
        self._trouble = ""


async def _close(client: AIOKafkaProducer) -> None:
    """Close a client after what it holds is written; after 5 s without that."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.stop()
    except FAILURES:
        # No public way: `stop` waits for ever for what no broker takes.
        sending = client._sender.sender_task  # noqa: SLF001 - as said
        if sending is not None:
            sending.cancel()
        with suppress(*FAILURES):
            async with asyncio.timeout(_CLOSE_S):
                await client.client.close()
