"""Looking at a Kafka for `im doctor`: whether it is there, and whether a record that it has taken outlives a broker."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from im_infra.bus.abstract import DEAD_LETTER_TOPIC, FANOUT_TOPIC
from im_infra.bus.kafka.connection import FAILURES, Connection
from im_infra.bus.kafka.topics import Topics
from im_infra.bus.settings import KafkaSettings
from im_infra.finding import Finding, Grade

_DEADLINE_S: Final = 10.0
_ASKED: Final = ("min.insync.replicas", "unclean.leader.election.enable")
_SUBJECT: Final = "kafka"


async def examine_kafka(settings: KafkaSettings) -> list[Finding]:
    """Look at the brokers and our topics. Takes 10 s at most, and raises nothing."""
    try:
        connection = Connection(settings, "doctor")
    except OSError as error:
        return [Finding(Grade.BAD, _SUBJECT, f"its certificates cannot be read: {error}", "mend bus.kafka.tls")]
    names = [Topics(connection, settings).name(topic) for topic in (FANOUT_TOPIC, DEAD_LETTER_TOPIC)]
    try:
        async with asyncio.timeout(_DEADLINE_S), connection.admin() as admin:
            brokers = (await admin.describe_cluster())["brokers"]
            described = [one for one in await admin.describe_topics(names) if not one["error_code"]]
            configured = await _configured(admin, [one["topic"] for one in described])
    except FAILURES as error:
        told = await connection.why_not() or f"{type(error).__name__}: {error}"
        return [Finding(Grade.BAD, _SUBJECT, told, "start it, or mend bus.kafka in the settings")]
    return [
        _brokers(len(brokers), settings),
        *(finding for one in described for finding in judge(one, configured.get(one["topic"], {}))),
    ]


def judge(topic: Mapping[str, Any], configured: Mapping[str, str]) -> Iterator[Finding]:
    """What to say of one topic: its partitions as described, and its settings by name."""
    name, partitions = topic["topic"], topic["partitions"]
    subject = f"kafka topic {name}"
    copies = min(len(partition["replicas"]) for partition in partitions)
    needed = int(configured.get("min.insync.replicas", "1"))
    told = f"{len(partitions)} partitions, {copies} copies, {needed} of them needed"
    if needed > copies:
        yield Finding(Grade.BAD, subject, told, "lower min.insync.replicas, or add replicas: it takes no record at all")
    elif needed < 2:
        advice = "with one broker it is all there is; else replicate it 3 times with min.insync.replicas 2"
        yield Finding(Grade.WARNING, subject, f"{told}: a record is lost with its broker's disk", advice)
    elif needed == copies:
        yield Finding(Grade.WARNING, subject, f"{told}: it takes nothing while a broker is down", "add a replica")
    else:
        yield Finding(Grade.GOOD, subject, told)
    if configured.get("unclean.leader.election.enable") == "true":
        advice = "set unclean.leader.election.enable to false on it"
        yield Finding(Grade.BAD, subject, "a broker that lags may become leader, and what it lacks is lost", advice)
    behind = [one["partition"] for one in partitions if len(one["isr"]) < len(one["replicas"])]
    if behind:
        yield Finding(Grade.WARNING, subject, f"copies of partitions {behind} lag behind", "look at the brokers' logs")


def _brokers(count: int, settings: KafkaSettings) -> Finding:
    told = f"{count} brokers"
    if count < settings.replication_factor:
        advice = "add brokers, or lower bus.kafka.replication_factor and min_insync_replicas"
        return Finding(Grade.BAD, _SUBJECT, f"{told}, and {settings.replication_factor} copies are wanted", advice)
    return Finding(Grade.GOOD, _SUBJECT, told)


async def _configured(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """The settings that matter, by topic."""
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(_ASKED, "")) for name in names]
    answers: Iterable[Any] = await admin.describe_configs(asked)
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _code, _message, _type, name, entries in answer.resources
    }
