"""A clock that jumps, under the one service that makes ids."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.harness.fake_clock import FakeClock
from tests.harness.fault import Fault, Inject, Scene
from tests.support.tcp_proxy import OPEN, SILENT

REPO: Final = "repo-a"
LEASE_OVER_S: Final = 660
"""Issuing stops at two thirds of 15 minutes."""
NO_LEASE: Final = "no valid worker lease"
"""In the log, of each batch that was refused."""
IDS_AGAIN_S: Final = 15.0
"""After etcd is reached again."""
OFF_S: Final = 5.0
"""How far a reading of the clock may be from what it was set to: the reader is a program that has to start first."""


@asynccontextmanager
async def fake_clock(scene: Scene) -> AsyncIterator[None]:
    """A repo runs on a clock of its own, which is right to begin with."""
    scene.clock = FakeClock(scene.site.server(REPO))
    await scene.clock.put_on()
    yield
    await scene.clock.take_off()
    _expect_unique(scene)


@asynccontextmanager
async def fake_clocks(scene: Scene) -> AsyncIterator[None]:
    """The same, with its monotonic clock as well."""
    scene.clock = FakeClock(scene.site.server(REPO), monotonic=True)
    await scene.clock.put_on()
    yield
    await scene.clock.take_off()
    _expect_unique(scene)


def jumped(seconds: float) -> Inject:
    """The clock jumps, and later jumps back."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        assert scene.clock is not None
        scene.clock.set_offset(seconds)
        yield
        await _expect_offset(scene, seconds)
        scene.clock.set_offset(0)

    return inject


def restarted_in_the_past(seconds: float) -> Inject:
    """A process is killed, and its clock stands earlier when it starts again."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        assert scene.clock is not None
        await scene.site.kill(REPO)
        scene.clock.set_offset(-seconds)
        await scene.site.start(REPO)
        yield
        await _expect_offset(scene, -seconds)
        scene.clock.set_offset(0)

    return inject


@asynccontextmanager
async def lease_lost(scene: Scene) -> AsyncIterator[None]:
    """A process cannot renew its lease until it is over, and finds out by its own clock alone.

    That clock stays ahead until the process is restarted: no monotonic clock goes back.
    """
    assert scene.clock is not None
    server = scene.site.server(REPO)
    told = server.log.stat().st_size
    scene.site.between(REPO, "etcd", SILENT)
    scene.clock.set_offset(LEASE_OVER_S)
    yield
    refused = server.log.read_bytes()[told:].count(NO_LEASE.encode())
    scene.expect(refused > 0 and not server.is_ready(), f"{refused} batches refused, not ready")
    scene.site.between(REPO, "etcd", OPEN)
    opened = time.monotonic()
    await asyncio.to_thread(server.wait_ready)
    again_s = time.monotonic() - opened
    scene.expect(again_s <= IDS_AGAIN_S, f"makes ids again {again_s:.1f} s after etcd was reached")


async def _expect_offset(scene: Scene, seconds: float) -> None:
    """A fault that did not happen would be met by anything."""
    assert scene.clock is not None
    off = await scene.clock.read_offset()
    scene.expect(abs(off - seconds) < OFF_S and off * seconds > 0, f"its clock was {off:+.0f} s off")


def _expect_unique(scene: Scene) -> None:
    doubled = scene.site.doubled_ids()
    scene.expect(not doubled, f"{doubled} ids given twice")


_UNIQUE: Final = "ids stay unique, Sync misses nothing"
JUMPS: Final = tuple(
    Fault(f"clock of a repo {told}", _UNIQUE, jumped(seconds), hold_s=5, before=fake_clock)
    for told, seconds in (("back 1 s", -1), ("back 10 s", -10), ("back 1 h", -3600), ("forward 1 h", 3600))
)
PAST: Final = Fault(
    "repo killed, started with its clock 1 h back", _UNIQUE, restarted_in_the_past(3600), hold_s=5, before=fake_clock
)
LEASE_LOST: Final = Fault(
    "worker lease over while etcd is not reached",
    "it stops making ids before somebody else may have its own",
    lease_lost,
    hold_s=10,
    before=fake_clocks,
)
