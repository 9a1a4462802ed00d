"""Kafka under a running cluster: killed and started again, sends go on and what was missed arrives by itself."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from im_cli.engines.engine import Engine
from im_sdk import Client, MessageReceived
from tests.harness.in_process import InProcess, in_process
from tests.support.kafka import topic_prefix

HEAL_S = 10.0
"""Within it what was sent meanwhile is there, counted from the moment the broker is ready again."""


def on_kafka(engine: Engine) -> dict[str, Any]:
    return {
        "logic.messaging.guest_slow_mode_ms": 0,
        "bus.kind": "kafka",
        "bus.kafka.bootstrap_servers": (engine.address,),
        "bus.kafka.topic_prefix": topic_prefix(),
        "bus.kafka.partitions": 3,
        "bus.kafka.replication_factor": 1,
        "bus.kafka.min_insync_replicas": 1,
        "bus.kafka.publish_timeout_s": 1.0,
        "bus.kafka.request_timeout_s": 2.0,
    }


class Reader:
    """Somebody who looks at the world room and never sends."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.texts: list[str] = []

    async def run(self) -> None:
        async for event in self.client.events():
            if isinstance(event, MessageReceived) and event.message.text:
                self.texts.append(event.message.text)

    async def until(self, texts: list[str], *, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not set(texts) <= set(self.texts):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def world(cluster: InProcess) -> AsyncIterator[tuple[Client, Reader]]:
    """A sender and a reader, both looking at the world room."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(cluster.url)) for _ in range(2)]
        for client, name in zip(clients, ("Ann", "Bob"), strict=True):
            await client.guest(name)
            await client.connect()
            client.view(client.world_conversation_id)
        reader = Reader(clients[1])
        reading = asyncio.create_task(reader.run())
        stack.callback(reading.cancel)
        yield clients[0], reader


async def send(client: Client, texts: list[str]) -> None:
    for text in texts:
        await client.send(client.world_conversation_id, text)


async def test_sends_go_on_while_kafka_is_down_and_everything_arrives(own_kafka: Engine, tmp_path: Path) -> None:
    """Acked within a second each; shown once, in order, without the reader doing anything."""
    async with in_process(tmp_path, on_kafka(own_kafka)) as cluster, world(cluster) as (sender, reader):
        before, during, after = ([f"{when}-{n}" for n in range(20)] for when in ("before", "during", "after"))
        await send(sender, before)
        await reader.until(before, seconds=HEAL_S)
        await asyncio.to_thread(own_kafka.kill)
        began = time.monotonic()
        await send(sender, during)
        assert time.monotonic() - began < len(during)
        assert not set(during) & set(reader.texts)
        await asyncio.to_thread(own_kafka.start)
        await reader.until(during, seconds=HEAL_S)
        await send(sender, after)
        await reader.until(after, seconds=HEAL_S)
        assert reader.texts == before + during + after
        await outbox_empty(cluster)


async def test_what_kafka_has_taken_is_confirmed(own_kafka: Engine, tmp_path: Path) -> None:
    """The outbox keeps nothing of it, though no task process has consumed it yet."""
    settings = on_kafka(own_kafka)
    services = ("repo", "logic", "gateway")
    async with in_process(tmp_path, settings, services=services) as cluster, Client(cluster.url) as client:
        await client.guest("Ann")
        await client.connect()
        await send(client, ["1", "2", "3"])
        await outbox_empty(cluster)
    async with in_process(tmp_path, settings) as cluster, world(cluster) as (sender, reader):
        await send(sender, ["4"])
        await reader.until(["4"], seconds=HEAL_S)


async def outbox_empty(cluster: InProcess) -> None:
    async with asyncio.timeout(HEAL_S):
        while _rows(cluster.database):
            await asyncio.sleep(0.02)


def _rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        count: int = connection.execute("SELECT COUNT(*) FROM outbox").fetchone()[0]
        return count
