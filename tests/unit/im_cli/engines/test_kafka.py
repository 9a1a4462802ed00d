"""Kafka as tests and clusters start it: its jars fetched once, closed to strangers, whole after a kill."""

import asyncio
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from im_cli.engines.engine import Engine
from im_cli.engines.kafka import KafkaAccount, KafkaTls, fetch_kafka, kafka
from im_cli.exit_code import CommandError
from tests.support.certificates import make_authority, make_certificate
from tests.support.kafka import CACHE, jars

PASSWORD = 'it\'s \\ "odd"'


async def write_one(engine: Engine, **options: object) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=engine.address, **options)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("thing", 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=engine.address, acks="all", **options)
    await producer.start()
    try:
        await producer.send_and_wait("thing", b"7", partition=0)
    finally:
        await producer.stop()


async def read_one(engine: Engine, **options: object) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=engine.address, auto_offset_reset="earliest", **options)
    try:
        await consumer.start()
        consumer.assign([TopicPartition("thing", 0)])
        async with asyncio.timeout(20):
            return (await consumer.getone()).value
    finally:
        await consumer.stop()


async def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    """On the same port, and the data is not made anew."""
    with kafka(tmp_path, jars=jars(), heap_mib=256) as engine:
        await write_one(engine)
        engine.kill()
        engine.start()
        assert await read_one(engine) == b"7"


async def test_it_is_reached_with_tls_and_the_password_alone(tmp_path: Path) -> None:
    """Neither plain nor unnamed; and only its owner reads the password."""
    authority = make_authority(tmp_path)
    server = make_certificate(tmp_path, authority)
    tls = KafkaTls(server.certificate, server.key, authority.certificate)
    with kafka(
        tmp_path / "broker", jars=jars(), heap_mib=256, tls=tls, account=KafkaAccount(password=PASSWORD)
    ) as engine:
        options = {
            "security_protocol": "SASL_SSL",
            "ssl_context": create_ssl_context(cafile=authority.certificate),
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": "im",
        }
        await write_one(engine, sasl_plain_password=PASSWORD, **options)
        assert await read_one(engine, sasl_plain_password=PASSWORD, **options) == b"7"
        with pytest.raises(KafkaError):
            await read_one(engine, sasl_plain_password="another", **options)
        with pytest.raises(KafkaError):
            await read_one(engine, request_timeout_ms=2000)
        assert not any(PASSWORD in part for part in engine.command)
        listening = psutil.Process(engine.pid).net_connections("inet")
        assert {one.laddr[0].removeprefix("::ffff:") for one in listening} == {"127.0.0.1"}
    assert (tmp_path / "broker" / "server.properties").stat().st_mode & 0o777 == 0o600


def test_jars_are_fetched_once() -> None:
    there = jars()
    assert there.is_relative_to(CACHE)
    assert any(path.name.startswith("kafka_2.13") for path in there.iterdir())
    assert fetch_kafka(CACHE) == there


def test_tells_why_its_data_could_not_be_made(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"node\.id"):
        kafka(tmp_path, jars=jars(), properties={"node.id": "-5"})
