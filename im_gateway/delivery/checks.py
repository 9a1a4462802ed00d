"""Telling clients to compare after a stream or the cache was lost, spread so that they do not all ask at once."""

import asyncio
from collections import deque
from collections.abc import Iterable

from im_gateway.codec import frames
from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub


class Checks:
    """Sends `check{account}` to every open connection, paced.

    Args:
        hub: the connections.
        spread_s: seconds at least for all of them.
        per_s: connections per second at most.
    """

    def __init__(self, hub: Hub, *, spread_s: float, per_s: float) -> None:
        self._hub = hub
        self._spread_s = spread_s
        self._per_s = per_s
        self._due: deque[int] = deque()  # bounded by the number of connections: a new loss replaces what is left
        self._wake = asyncio.Event()
        self._check = Outgoing(frames.check_frame(account=True))

    def all_connections(self) -> None:
        """Pushes may have been lost: every connection is told, once."""
        self._due = deque(self._hub.connections)
        self._wake.set()

    def connections(self, some: Iterable[Connection]) -> None:
        """Pushes to these may have been lost: they are told, once."""
        self._due = deque(dict.fromkeys((*self._due, *(connection.connection_id for connection in some))))
        self._wake.set()

    async def run(self) -> None:
        """Send what is due, for ever. Cancelling is safe."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            count = len(self._due)
            window_s = max(self._spread_s, count / self._per_s)
            pause_s = 0.1
            batch = max(1, round(count * pause_s / window_s)) if window_s else count
            while self._due:
                self._send(min(batch, len(self._due)))
                await asyncio.sleep(pause_s)

    def _send(self, count: int) -> None:
        now = self._hub.monotonic()
        for _ in range(count):
            connection = self._hub.connections.get(self._due.popleft())
            if connection is not None and connection.state in {State.OPENING, State.OPEN}:
                self._hub.tally.checks += 1
                connection.push(self._check, now)
