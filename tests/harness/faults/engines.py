"""Engines that die, forget, or are away for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from im_cli.engines.engine import LOOPBACK
from tests.harness.fault import Fault, Gate, Inject, Scene
from tests.harness.faults.kills import killed

AWAY_S: Final = 30.0
"""The table's "30 s down"."""
ETCD_AWAY_S: Final = 60.0


@asynccontextmanager
async def flushed(scene: Scene) -> AsyncIterator[None]:
    """Redis loses every key, and goes on at once."""
    engine, password = scene.site.server("redis"), scene.site.cluster.engine_set.password("redis")
    async with Redis(host=LOOPBACK, port=engine.port, password=password) as client:
        await client.flushall()
    yield


def paused(name: str) -> Inject:
    """SIGSTOP: it holds its connections and answers nothing."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        await asyncio.to_thread(scene.site.server(name).pause)
        yield
        scene.site.server(name).resume()

    return inject


DATABASE: Final = Fault(
    "MariaDB: kill -9, restart",
    "what was committed is durable, pools reconnect",
    killed("mariadb"),
    Gate(recovery_s=10),
)
REDIS_KILLED: Final = Fault(
    "Redis: kill -9, restart", "there is only in it what can be published again", killed("redis")
)
REDIS_FLUSHED: Final = Fault("Redis: FLUSHALL", "there is only in it what can be published again", flushed)
REDIS_AWAY: Final = Fault(
    "Redis: 30 s down", "frames go to all gateways meanwhile", killed("redis"), Gate(recovery_s=30), AWAY_S
)
KAFKA_RESTARTED: Final = Fault(
    "Kafka: kill -9, restart", "sends go on, fan-out catches up", killed("kafka"), Gate(recovery_s=30, answered=0.99)
)
KAFKA_AWAY: Final = Fault(
    "Kafka: 30 s down", "sends go on, fan-out catches up", killed("kafka"), Gate(recovery_s=30, answered=0.99), AWAY_S
)
ETCD_AWAY: Final = Fault(
    "etcd: 60 s down", "sockets and known nodes go on", killed("etcd"), Gate(answered=0.99), ETCD_AWAY_S
)
ETCD_PAUSED: Final = Fault(
    "etcd: 60 s without an answer", "sockets and known nodes go on", paused("etcd"), Gate(answered=0.99), ETCD_AWAY_S
)
