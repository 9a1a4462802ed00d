"""What `im doctor` says of a Kafka."""

from typing import Any

import pytest

from im_infra.bus.kafka.examine import examine_kafka, judge
from im_infra.bus.settings import KafkaSettings
from im_infra.finding import Grade
from tests.integration.im_infra.bus.conftest import OpenBus


def described(*, replicas: int = 3, isr: int = 3) -> dict[str, Any]:
    partition = {"partition": 0, "replicas": list(range(replicas)), "isr": list(range(isr))}
    return {"topic": "im.fanout", "partitions": [partition]}


@pytest.mark.parametrize(
    ("topic", "needed", "unclean", "grades"),
    [
        (described(), "2", "false", [Grade.GOOD]),
        (described(), "1", "false", [Grade.WARNING]),
        (described(), "3", "false", [Grade.WARNING]),
        (described(replicas=1, isr=1), "2", "false", [Grade.BAD]),
        (described(), "2", "true", [Grade.GOOD, Grade.BAD]),
        (described(isr=2), "2", "false", [Grade.GOOD, Grade.WARNING]),
    ],
)
def test_a_topic_is_judged_by_its_copies(topic: Any, needed: str, unclean: str, grades: list[Grade]) -> None:
    configured = {"min.insync.replicas": needed, "unclean.leader.election.enable": unclean}
    assert [finding.grade for finding in judge(topic, configured)] == grades


async def test_a_single_broker_says_what_it_cannot_promise(kafka_address: str, open_kafka_bus: OpenBus) -> None:
    """The brokers are enough for one copy; that one copy is lost with its disk is a warning for each topic."""
    bus = await open_kafka_bus(kafka_address)
    findings = await examine_kafka(bus._settings.kafka)
    assert [finding.grade for finding in findings] == [Grade.GOOD, Grade.WARNING, Grade.WARNING]
    (brokers, *_) = await examine_kafka(KafkaSettings(bootstrap_servers=(kafka_address,)))
    assert brokers.grade is Grade.BAD


async def test_one_that_is_away_is_told_with_the_reason() -> None:
    (finding,) = await examine_kafka(KafkaSettings(bootstrap_servers=("127.0.0.1:1",)))
    assert finding.grade is Grade.BAD
    assert "127.0.0.1:1" in finding.told
