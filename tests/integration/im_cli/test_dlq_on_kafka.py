"""`im dlq` where the bus is Kafka: from any machine, without a data folder."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from im_cli.exit_code import ExitCode
from im_infra.bus.abstract import Record
from im_infra.bus.kafka.bus import KafkaBus
from im_infra.bus.settings import BusSettings, KafkaSettings
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics
from tests.integration.im_cli.conftest import Im
from tests.support.kafka import topic_prefix


async def bury_one(settings: BusSettings) -> None:
    async def handler(records: Sequence[Record]) -> None:
        raise ValueError("cannot take it")

    async with (
        KafkaBus(settings, clock=SystemClock(), metrics=Metrics()) as bus,
        bus.consume("im.push", group="task", handler=handler),
    ):
        await bus.publish("im.push", key=b"k", value=b"bad")
        async with asyncio.timeout(20):
            while not await bus.dead_letters():
                await asyncio.sleep(0.05)


def test_a_dead_letter_is_listed_shown_and_redriven(kafka_address: str, tmp_path: Path, im: Im) -> None:
    prefix = topic_prefix()
    kafka = KafkaSettings(
        bootstrap_servers=(kafka_address,),
        topic_prefix=prefix,
        partitions=1,
        replication_factor=1,
        min_insync_replicas=1,
    )
    asyncio.run(bury_one(BusSettings(kind="kafka", first_backoff_ms=1, kafka=kafka)))
    config = tmp_path / "im.toml"
    config.write_text(
        f'[bus]\nkind = "kafka"\n[bus.kafka]\nbootstrap_servers = ["{kafka_address}"]\ntopic_prefix = "{prefix}"\n'
        "partitions = 1\nreplication_factor = 1\nmin_insync_replicas = 1\n"
    )
    listed = im("dlq", "list", "--config", config)
    assert "im.push/0/0" in listed.stdout, listed.stderr
    shown = im("dlq", "show", "im.push/0/0", "--config", config)
    assert "ValueError: cannot take it" in shown.stdout
    assert im("dlq", "redrive", "im.push/0/0", "--config", config).returncode == ExitCode.DONE
    assert "no dead letters" in im("dlq", "list", "--config", config).stdout
    assert im("dlq", "redrive", "im.push/0/0", "--config", config).returncode == ExitCode.REFUSED


def test_a_kafka_that_is_away_is_told(im: Im) -> None:
    environment = {"IM_BUS__KIND": "kafka", "IM_BUS__KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = im("dlq", "list", environment=environment)
    assert done.returncode == ExitCode.UNREACHABLE
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
