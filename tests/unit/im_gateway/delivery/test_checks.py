"""Checks after a lost stream are spread."""

import asyncio
from types import SimpleNamespace
from typing import Any

from im_gateway.connections.connection import State
from im_gateway.delivery.checks import Checks
from im_infra.aio import spawn


class Connection:
    def __init__(self) -> None:
        self.state = State.OPEN
        self.pushed = 0

    def push(self, outgoing: Any, now: float) -> None:
        self.pushed += 1


async def test_everybody_is_told_once_a_batch_at_a_time() -> None:
    connections = {number: Connection() for number in range(40)}
    connections[7].state = State.ENDING
    hub: Any = SimpleNamespace(connections=connections, monotonic=lambda: 0.0, tally=SimpleNamespace(checks=0))
    checks = Checks(hub, spread_s=0.4, per_s=1000)
    running = spawn(checks.run(), name="test.checks")
    checks.all_connections()
    await asyncio.sleep(0.02)
    first = hub.tally.checks
    assert 0 < first <= 12
    async with asyncio.timeout(5):
        while hub.tally.checks < 39:
            await asyncio.sleep(0.01)
    assert [each.pushed for number, each in connections.items() if number != 7] == [1] * 39
    assert connections[7].pushed == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
