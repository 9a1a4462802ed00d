"""Checks after a lost stream are spread."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def checking(connections: dict[int, Connection], *, spread_s: float) -> AsyncIterator[tuple[Checks, Any]]:
    hub: Any = SimpleNamespace(connections=connections, monotonic=lambda: 0.0, tally=SimpleNamespace(checks=0))
    checks = Checks(hub, spread_s=spread_s, per_s=1000)
    running = spawn(checks.run(), name="test.checks")
    yield checks, hub.tally
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_everybody_is_told_once_a_batch_at_a_time() -> None:
    connections = {number: Connection() for number in range(40)}
    connections[7].state = State.ENDING
    async with checking(connections, spread_s=0.4) as (checks, tally):
        checks.all_connections()
        await asyncio.sleep(0.02)
        first = tally.checks
        assert 0 < first <= 12
        await until(lambda: tally.checks == 39)
    assert [each.pushed for number, each in connections.items() if number != 7] == [1] * 39
    assert connections[7].pushed == 0


async def test_what_comes_while_a_few_are_told_has_a_pace_of_its_own() -> None:
    """At that of the few it would take as long as there are connections."""
    connections = {number: Connection() for number in range(100)}
    everybody: Any = [SimpleNamespace(connection_id=number) for number in connections]
    async with checking(connections, spread_s=0.4) as (checks, tally):
        checks.connections(everybody[:1])
        await until(lambda: tally.checks == 1)
        checks.all_connections()
        await until(lambda: tally.checks == 101)
        checks.connections(everybody[:1])
        await until(lambda: tally.checks == 102)
        checks.connections(everybody)
        await until(lambda: tally.checks == 202)
    assert [each.pushed for each in connections.values()] == [4] + [2] * 99
