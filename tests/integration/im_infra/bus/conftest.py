"""Buses over a real broker, with settings small enough to wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from im_infra.bus.abstract import Record
from im_infra.bus.kafka.bus import KafkaBus
from im_infra.bus.settings import BusSettings, KafkaSettings
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics
from tests.support.kafka import topic_prefix


class OpenBus(Protocol):
    """Opens a bus of a process of its own; all of a test share topics."""

    def __call__(
        self, address: str, *, node_id: str = "", bus: dict[str, Any] | None = None, **kafka: Any
    ) -> Awaitable[KafkaBus]: ...


@pytest.fixture
async def open_kafka_bus() -> AsyncIterator[OpenBus]:
    prefix = topic_prefix()
    async with AsyncExitStack() as processes:

        async def opened(
            address: str, *, node_id: str = "", bus: dict[str, Any] | None = None, **kafka: Any
        ) -> KafkaBus:
            reached = KafkaSettings(
                **{
                    "bootstrap_servers": (address,),
                    "topic_prefix": prefix,
                    "partitions": 4,
                    "replication_factor": 1,
                    "min_insync_replicas": 1,
                    "session_timeout_s": 6,
                    **kafka,
                }
            )
            settings = BusSettings(kind="kafka", kafka=reached, **(bus or {"first_backoff_ms": 2}))
            made = KafkaBus(settings, clock=SystemClock(), metrics=Metrics(), node_id=node_id)
            return await processes.enter_async_context(made)

        yield opened


@dataclass
class Taken:
    """What took effect at any of several consumers, in order, and by whom."""

    effects: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    """(consumer, key, value)."""
    poison: set[bytes] = field(default_factory=set)

    def by(self, consumer: str) -> Callable[[Sequence[Record]], Awaitable[None]]:
        async def handler(records: Sequence[Record]) -> None:
            await asyncio.sleep(0)
            for record in records:
                if record.value in self.poison:
                    raise ValueError("cannot take it")
                self.effects.append((consumer, record.key, record.value))

        return handler

    def values(self, key: bytes | None = None) -> list[bytes]:
        return [value for _, one, value in self.effects if key is None or one == key]

    async def until(self, values: set[bytes], *, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not values <= set(self.values()):
                await asyncio.sleep(0.005)


def first_seen(values: Sequence[bytes]) -> list[bytes]:
    """In the order in which each came first: what comes again was dropped as a repeat."""
    return list(dict.fromkeys(values))


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
