"""When a process is called ready; the rest is proved by `im up` and `im serve` themselves."""

import asyncio
from collections.abc import Mapping

import pytest

from im_cli.process import process as module
from im_cli.process.process import Process
from im_infra import error_table
from im_infra.errors import ImError
from im_infra.internal_port import InternalPort
from im_infra.node_status import NodeStatus
from im_infra.observability.metrics import Metrics
from im_infra.readiness import Asked


class Streams:
    """Open from the third look on, unless they stay away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.looks = 0

    async def check(self) -> None:
        self.looks += 1
        if self.away or self.looks < 3:
            raise ImError(error_table.UNAVAILABLE)


def process(awaited: Mapping[str, Asked]) -> Process:
    metrics = Metrics()
    return Process(
        internal=InternalPort("127.0.0.1", 0, metrics, {}),
        status=NodeStatus(version="1", boot_id="a", services=(), checks={}, metrics=metrics),
        gateway=None,
        runs={},
        drains={},
        registrations=[],
        drain_timeout_s=1,
        awaited=awaited,
    )


async def looks_before_ready(streams: Streams, awaited: Mapping[str, Asked], *, stopped: bool = False) -> int:
    """How often it looked until it was called ready."""
    stop = asyncio.Event()
    told: list[int] = []

    def on_ready() -> None:
        told.append(streams.looks)
        stop.set()

    if stopped:
        stop.set()
    async with asyncio.timeout(5):
        await process(awaited).run(on_ready=on_ready, stop=stop)
    (looks,) = told
    return looks


async def test_it_is_ready_once_its_services_have_found_each_other() -> None:
    streams = Streams()
    assert await looks_before_ready(streams, {"repo": streams.check}) == 3


async def test_it_does_not_wait_for_other_processes() -> None:
    streams = Streams(away=True)
    assert await looks_before_ready(streams, {}) == 0


async def test_it_waits_no_longer_than_the_bound_nor_once_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams(away=True)
    assert await looks_before_ready(streams, {"repo": streams.check}, stopped=True) == 0
    monkeypatch.setattr(module, "_FOUND_S", 0.02)
    assert await looks_before_ready(streams, {"repo": streams.check}) >= 1
