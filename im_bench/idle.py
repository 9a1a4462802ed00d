"""The scenario `idle`: many connections that say nothing but pings, and what each of them costs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from im_bench import resources
from im_bench.accounts import Account
from im_bench.connection import Connection
from im_bench.result import Latency, Result, Verdict
from im_proto.v1.message_pb2 import Message

INSTANCES_A_DEVICE: Final = 8
"""As many connections as one device may hold: fewer accounts to make, the same price per connection."""
CONNECTING_AT_ONCE: Final = 64
PING_S: Final = 45.0


@dataclass(frozen=True, slots=True)
class IdleSettings:
    """What the run does."""

    low: int
    """Connections at the first reading of memory."""
    high: int
    """Connections at the second; the slope between both is the price of one."""
    hold_s: float
    """How long the high number is held, with pings, while CPU is read."""


class IdleScenario:
    """One run.

    Args:
        settings: what to do.
        accounts: at least `high / INSTANCES_A_DEVICE` of them.
        url: the gateway's WebSocket, `ws://host:port/ws`.
        server_pid: the process that holds the connections; None on another machine: nothing can be read then.
        progress: told what is going on, for a person.
    """

    def __init__(
        self,
        settings: IdleSettings,
        accounts: Sequence[Account],
        *,
        url: str,
        server_pid: int | None,
        progress: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._url = url
        self._server_pid = server_pid
        self._progress = progress
        self._connections: list[Connection] = []
        self._connect_latency = Latency()

    async def run(self) -> Result:
        """Connect, read memory at both numbers, hold with pings, read CPU."""
        settings = self._settings
        result = Result(
            scenario="idle",
            settings={"low": settings.low, "high": settings.high, "hold_s": settings.hold_s, "url": self._url},
        )
        pinger = asyncio.get_running_loop().create_task(self._ping())
        try:
            low = await self._reach(settings.low)
            high = await self._reach(settings.high)
            self._progress(f"holding {settings.high} connections")
            started = time.monotonic()
            await asyncio.sleep(settings.hold_s)
            held = self._usage()
            elapsed = time.monotonic() - started
        finally:
            pinger.cancel()
            await asyncio.gather(*(connection.close() for connection in self._connections))
        result.latency_ms = {"connect": self._connect_latency.summary()}
        result.measured = self._measured(low, high, held, elapsed)
        if gone := sum(connection.close_code != 0 for connection in self._connections):
            result.worsen(Verdict.INVALID, f"{gone} connections were closed by the server")
        if self._server_pid is None:
            result.reasons.append("the server is not on this machine: its memory is not known")
        elif held is not None:
            result.resources = {"cluster": {"cpu_s": round(held.cpu_s, 2), "rss_mib": round(held.rss_mib, 1)}}
        return result

    def _measured(
        self,
        low: resources.Usage | None,
        high: resources.Usage | None,
        held: resources.Usage | None,
        elapsed: float,
    ) -> dict[str, float]:
        measured: dict[str, float] = {"connections": float(self._settings.high)}
        if low is not None and high is not None and held is not None:
            grown = self._settings.high - self._settings.low
            measured["kib_per_connection"] = round((high.rss_mib - low.rss_mib) * 1024 / grown, 2)
            measured["idle_cpu_share"] = round((held.cpu_s - high.cpu_s) / elapsed, 4)
        return measured

    async def _reach(self, number: int) -> resources.Usage | None:
        """Connect until there are `number`, let it settle, read the memory."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one(index: int) -> None:
            async with gate:
                account = self._accounts[index // INSTANCES_A_DEVICE]
                begun = time.monotonic()
                connection = await Connection.open(
                    self._url,
                    access_token=account.access_token,
                    device_id=account.device_id,
                    on_message=_ignore,
                    on_resync=lambda: None,
                    local_address=_source_address(self._url, index),
                )
                self._connect_latency.record(time.monotonic() - begun)
                self._connections.append(connection)
                if len(self._connections) % 100 == 0:
                    self._progress(f"connected {len(self._connections)} of {self._settings.high}")

        async with asyncio.TaskGroup() as tasks:
            for index in range(len(self._connections), number):
                tasks.create_task(one(index))
        await asyncio.sleep(2.0)
        return self._usage()

    async def _ping(self) -> None:
        """Ping every connection once in a while, spread evenly."""
        while True:
            connections = list(self._connections)
            if not connections:
                await asyncio.sleep(0.1)
                continue
            for position, connection in enumerate(connections):
                connection.ping()
                if position % 50 == 49:
                    await asyncio.sleep(PING_S * 50 / len(connections))
            await asyncio.sleep(0.1)

    def _usage(self) -> resources.Usage | None:
        return resources.read(self._server_pid) if self._server_pid is not None else None


def _ignore(_connection: Connection, _message: Message) -> None:
    """Idle connections count nothing: what the world room says is not their business."""


def _source_address(url: str, index: int) -> str | None:
    """On loopback another source address for every 20,000 connections: one has about 28,000 ports."""
    return f"127.0.0.{1 + index // 20_000}" if "//127.0.0." in url else None
