"""Topics: what they are called in Kafka, and making those that are missing."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC
from im_infra.bus.kafka.connection import Connection
from im_infra.bus.settings import KafkaSettings

MAX_RECORD_BYTES: Final = 1024 * 1024
"""Of a record's key and value."""
MAX_STORED_BYTES: Final = MAX_RECORD_BYTES + 64 * 1024
"""What a topic takes: a dead letter has headers besides."""
_DAY_MS: Final = 24 * 3600 * 1000
_LOOK_S: Final = 0.05
_CREATE_S: Final = 15.0


class Topics:
    """Names with the cluster's prefix, and the topics behind them.

    Args:
        connection: to the brokers.
        settings: prefix, partitions, copies, and how long records are kept.
    """

    def __init__(self, connection: Connection, settings: KafkaSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._there: set[str] = set()

    def name(self, topic: str) -> str:
        """What Kafka calls a topic of ours."""
        return self._settings.topic_prefix + topic

    def group(self, group: str, topic: str) -> str:
        """What Kafka calls a group that consumes a topic: each topic has its own, so that one's trouble is not another's."""
        return f"{self._settings.topic_prefix}{group}.{topic}"

    async def ensure(self, topics: Collection[str]) -> None:
        """Make those that are missing, and return when each has a leader for every partition: at most 15 s.

        Safe to cancel: made or not.

        Raises:
            KafkaError, OSError: a broker cannot be reached, or refuses one.
            TimeoutError: they have no leaders yet.
        """
        missing = [topic for topic in topics if topic not in self._there]
        if not missing:
            return
        async with asyncio.timeout(_CREATE_S), self._connection.admin() as admin:
            await self._create(admin, missing)
            while not _all_led(await admin.describe_topics([self.name(topic) for topic in missing])):  # noqa: ASYNC110 - their event
                await asyncio.sleep(_LOOK_S)
        self._there.update(missing)

    async def _create(self, admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
        settings = self._settings
        wanted = [
            NewTopic(
                name=self.name(topic),
                num_partitions=1 if topic == DEAD_LETTER_TOPIC else settings.partitions,
                replication_factor=settings.replication_factor,
                topic_configs=self._configuration(topic),
            )
            for topic in topics
        ]
        answer = await admin.create_topics(wanted)
        for name, code, *words in answer.topic_errors:
            error = for_code(code)
            if code and error not in {
                TopicAlreadyExistsError,
                TopicAuthorizationFailedError,
            }:  # it may be there all the same
                raise KafkaError(f"{name} was not made: {error.__name__} {words[0] if words else ''}".strip())

    def _configuration(self, topic: str) -> dict[str, str]:
        settings = self._settings
        configuration = {
            "min.insync.replicas": str(settings.min_insync_replicas),
            "unclean.leader.election.enable": "false",
            "max.message.bytes": str(MAX_STORED_BYTES),
        }
        if topic == FANOUT_TOPIC:
            configuration["retention.ms"] = str(settings.fanout_retention_s * 1000)
            # Retention drops whole segments: one must not grow for longer than its records may stay.
            configuration["segment.ms"] = str(max(60_000, settings.fanout_retention_s * 1000 // 4))
        if topic == DEAD_LETTER_TOPIC:
            configuration["cleanup.policy"] = "compact,delete"  # one that was redriven goes, an old one too
            configuration["retention.ms"] = str(settings.dead_letter_retention_days * _DAY_MS)
        return configuration


def _all_led(described: Iterable[Mapping[str, Any]]) -> bool:
    """Whether every partition has a leader: a topic just made has none for a moment."""
    return all(
        not topic["error_code"]
        and topic["partitions"]
        and all(not partition["error_code"] and partition["leader"] >= 0 for partition in topic["partitions"])
        for topic in described
    )
