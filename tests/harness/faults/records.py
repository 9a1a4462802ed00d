"""The bus: a record that nobody can take, and consumers that come and go."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from im_cli.process.settings import ProcessSettings
from im_infra.bus.abstract import FANOUT_TOPIC, Bus
from im_infra.bus.open_bus import open_bus
from im_infra.clock import SystemClock
from im_infra.observability.metrics import Metrics
from im_infra.settings import load
from tests.harness.cluster_site import ClusterSite
from tests.harness.fault import Fault, Gate, Scene

POISON: Final = b"\xff\xfeno record of ours"
BLOCKED_S: Final = 10.0
STORM_ROUNDS: Final = 6


@asynccontextmanager
async def _bus(site: ClusterSite) -> AsyncIterator[Bus]:
    settings = load(ProcessSettings, toml=site.cluster.config, environment={}, overrides={})
    async with open_bus(settings.bus, database=None, clock=SystemClock(), metrics=Metrics()) as bus:
        yield bus


@asynccontextmanager
async def poisoned(scene: Scene) -> AsyncIterator[None]:
    """A record in the partition of a conversation that talks."""
    async with _bus(scene.site) as bus:
        before = {letter.dead_letter_id for letter in await bus.dead_letters()}
        await _publish(bus, scene.load.common.to_bytes(8, "big"))
        began = time.monotonic()
        yield
        while True:
            letters = [letter for letter in await bus.dead_letters() if letter.dead_letter_id not in before]
            blocked_s = time.monotonic() - began
            if letters or blocked_s > BLOCKED_S:
                break
            await asyncio.sleep(0.1)
        scene.expect(
            [letter.record.value for letter in letters] == [POISON], f"{len(letters)} dead letter in {blocked_s:.1f} s"
        )


async def _publish(bus: Bus, key: bytes) -> None:
    """As soon as the brokers are reached."""
    async with asyncio.timeout(BLOCKED_S):
        while True:
            try:
                await bus.check()
            except Exception:  # noqa: BLE001 - not yet
                await asyncio.sleep(0.05)
            else:
                break
        await bus.publish(FANOUT_TOPIC, key=key, value=POISON)


@asynccontextmanager
async def rebalanced(scene: Scene) -> AsyncIterator[None]:
    """One of two consumers ends and comes back, again and again, every other time without a word."""
    for number in range(STORM_ROUNDS):
        await (scene.site.kill if number % 2 else scene.site.stop)("task-b")
        await scene.site.start("task-b")
    yield


POISON_RECORD: Final = Fault(
    "a poison record in im.fanout",
    "it becomes a dead letter, its partition goes on",
    poisoned,
    Gate(recovery_s=BLOCKED_S),
)
REBALANCE_STORM: Final = Fault(
    f"a consumer leaves and comes back {STORM_ROUNDS} times", "order of each conversation stays", rebalanced, hold_s=0
)
