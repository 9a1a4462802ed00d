"""A process that consumes a topic and is killed by the record `kill`; it ends in order when the topic's end took effect."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from im_infra.bus.abstract import Record
from im_infra.bus.kafka.bus import KafkaBus
from im_infra.bus.settings import BusSettings, KafkaSettings
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics


async def main(address: str, prefix: str, topic: str) -> None:
    kafka = KafkaSettings(
        bootstrap_servers=(address,), topic_prefix=prefix, partitions=4, replication_factor=1, min_insync_replicas=1
    )
    ended = asyncio.Event()

    async def handler(records: Sequence[Record]) -> None:
        for record in records:
            if record.value == b"kill":
                os.kill(os.getpid(), signal.SIGKILL)
            print(record.value.decode(), flush=True)  # noqa: T201 - for the test that started it
            if record.value == b"59":
                ended.set()

    settings = BusSettings(kind="kafka", first_backoff_ms=2, kafka=kafka)
    async with (
        KafkaBus(settings, clock=SystemClock(), metrics=Metrics(), node_id="task-1") as bus,
        bus.consume(topic, group="task", handler=handler),
    ):
        await ended.wait()


asyncio.run(main(*sys.argv[1:]))
