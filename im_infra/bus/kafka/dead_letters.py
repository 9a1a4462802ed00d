"""The topic `im.dlq`: records that were given up, each under its id until it is redriven.

The topic is compacted. A dead letter is a record under its id, and what has gone is the same id without a value; reading takes
the last of each. Ids are `topic/partition/offset`: a record that is given up twice, since a process died between storing it and
moving on, is one dead letter.
"""

import asyncio
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from im_infra.bus.abstract import DEAD_LETTER_TOPIC, DeadLetter, Record
from im_infra.bus.kafka.connection import FAILURES, Connection, unavailable
from im_infra.bus.kafka.producing import Producer
from im_infra.bus.kafka.topics import Topics
from im_infra.clock import Clock

_TOPIC: Final = "dlq-topic"
_POSITION: Final = "dlq-position"
_KEY: Final = "dlq-key"
_ERROR: Final = "dlq-error"
_ATTEMPTS: Final = "dlq-attempts"
_TIME: Final = "dlq-time"
_OURS: Final = frozenset({_TOPIC, _POSITION, _KEY, _ERROR, _ATTEMPTS, _TIME})

_SILENCE_S: Final = 10.0
"""How long reading may bring nothing before the brokers count as away."""
_POLL_MS: Final = 200


class DeadLetters:
    """Stores, lists and forgets dead letters.

    Args:
        connection: to the brokers.
        topics: names, and makes the topic.
        producer: writes.
        clock: wall time.
    """

    def __init__(self, connection: Connection, topics: Topics, producer: Producer, clock: Clock) -> None:
        self._connection = connection
        self._topics = topics
        self._producer = producer
        self._clock = clock

    async def bury(self, record: Record, error: str) -> None:
        """Store a record that is given up; raises ImError (UNAVAILABLE, OVERLOADED) as sending does."""
        headers = {name: value.encode() for name, value in record.headers.items()} | {
            _TOPIC: record.topic.encode(),
            _POSITION: record.position.encode(),
            _KEY: record.key,
            _ERROR: error.encode(),
            _ATTEMPTS: b"%d" % record.attempts,
            _TIME: b"%d" % self._clock.now_ms(),
        }
        key = f"{record.topic}/{record.position}".encode()
        await self._producer.send(DEAD_LETTER_TOPIC, key=key, value=record.value, headers=headers)

    async def forget(self, dead_letter_id: str) -> None:
        """Take one off the list; raises as `bury`."""
        await self._producer.send(DEAD_LETTER_TOPIC, key=dead_letter_id.encode(), value=None)

    async def read(self) -> dict[str, DeadLetter]:
        """All of them by id, the oldest first. Safe to cancel.

        Raises:
            ImError: UNAVAILABLE.
        """
        try:
            await self._topics.ensure([DEAD_LETTER_TOPIC])
            return await self._read()
        except FAILURES as error:
            raise unavailable(error) from error

    async def _read(self) -> dict[str, DeadLetter]:
        letters: dict[str, DeadLetter] = {}
        partition = TopicPartition(self._topics.name(DEAD_LETTER_TOPIC), 0)
        consumer = AIOKafkaConsumer(**self._connection.options(), auto_offset_reset="earliest")
        try:
            async with asyncio.timeout(_SILENCE_S) as silence:
                await consumer.start()
                consumer.assign([partition])
                end = (await consumer.end_offsets([partition]))[partition]
                while await consumer.position(partition) < end:
                    for record in (await consumer.getmany(timeout_ms=_POLL_MS)).get(partition, ()):
                        silence.reschedule(asyncio.get_running_loop().time() + _SILENCE_S)
                        _take(letters, record)
        finally:
            await consumer.stop()
        return letters


def _take(letters: dict[str, DeadLetter], stored: ConsumerRecord) -> None:
    """What a record of the topic does to the list; what others wrote there is passed over."""
    dead_letter_id = (stored.key or b"").decode(errors="replace")
    known = letters.pop(dead_letter_id, None)
    headers = dict(stored.headers)
    if stored.value is None or not headers.keys() >= _OURS:
        return
    record = Record(
        topic=headers[_TOPIC].decode(),
        key=headers[_KEY],
        value=stored.value,
        headers={name: value.decode(errors="replace") for name, value in headers.items() if name not in _OURS},
        position=headers[_POSITION].decode(),
        attempts=int(headers[_ATTEMPTS]),
    )
    letters[dead_letter_id] = known or DeadLetter(
        dead_letter_id, record, headers[_ERROR].decode(errors="replace"), int(headers[_TIME])
    )
