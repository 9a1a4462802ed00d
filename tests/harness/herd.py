"""Many idle clients that come back as the SDK does."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from im_bench.accounts import Account
from im_bench.adapters.abstract import AdapterError
from im_bench.adapters.im.connection import Connection, SendFrame, SharedFrames
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.session_pb2 import HelloRequest
from im_proto.v1.sync_pb2 import SyncRequest
from im_sdk._backoff import reconnect_delay
from tests.harness.light import Unread

AT_ONCE: Final = 100
"""Handshakes under way: one loop cannot do more, and would count its own slowness for the server's."""


class Herd:
    """Idle connections, each with an account of its own.

    Args:
        url: the WebSocket's.
        accounts: one a client.
        source: jitter.
    """

    def __init__(self, url: str, accounts: Sequence[Account], *, source: random.Random) -> None:
        self._url = url
        self._accounts = accounts
        self._random = source
        self._tasks: list[asyncio.Task[None]] = []
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.connected = 0
        """How many are, now."""
        self.moved_at: list[float] = []
        """When clients left because they were told to go, by the loop's clock."""
        self.cut = 0
        """How often a connection ended that nobody had told to go."""
        self.failures: Counter[str] = Counter()
        """Tries that came to nothing, by reason."""

    def start(self) -> None:
        """Connect, and stay connected."""
        self._tasks = [asyncio.create_task(self._live(account), name="herd") for account in self._accounts]

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, account: Account) -> None:
        failures = 0
        while True:
            try:
                async with self._gate:
                    connection = await self._open(account)
            except AdapterError as error:
                self.failures[error.reason] += 1
                failures += 1
                await asyncio.sleep(reconnect_delay(failures, self._random))
            else:
                failures = 0
                await self._stay(connection)
                await asyncio.sleep(reconnect_delay(0, self._random))

    async def _stay(self, connection: "_Idle") -> None:
        loop = asyncio.get_running_loop()
        self.connected += 1
        try:
            await asyncio.wait({connection.lost, connection.told_to_go}, return_when=asyncio.FIRST_COMPLETED)
            if connection.lost.done():
                self.cut += 1
                return
            await asyncio.wait({connection.lost}, timeout=self._random.uniform(0, connection.told_to_go.result()))
            self.moved_at.append(loop.time())
        finally:
            self.connected -= 1
            connection.cut()

    async def _open(self, account: Account) -> "_Idle":
        hello = HelloRequest(
            access_token=account.access_token, device_id=account.device_id, client_version="test", sync=SyncRequest()
        )
        made: Callable[[], _Idle] = _Idle
        connection = await Connection.open(self._url, hello, make=made, tls=None, source_address=None)
        assert isinstance(connection, _Idle)
        return connection


class _Idle(Connection):
    """A connection that listens to one thing only."""

    def __init__(self) -> None:
        super().__init__(Unread(), None, send_frame=SendFrame(), shared_frames=SharedFrames())
        self.told_to_go: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """In how many seconds at most."""

    def _take_push(self, frame: ServerFrame) -> None:
        if frame.HasField("go_away") and not self.told_to_go.done():
            self.told_to_go.set_result(frame.go_away.after_ms / 1000)
