"""Telling clients to compare after a stream or the cache was lost, spread so that they do not all ask at once."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from im_gateway.codec import frames
from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub

_PAUSE_S: Final = 0.1
"""Between two batches."""


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
        self._batch = 0
        self._wake = asyncio.Event()
        self._check = Outgoing(frames.check_frame(account=True))

    def all_connections(self) -> None:
        """Pushes may have been lost: every connection is told, once."""
        self._set_due(self._hub.connections)

    def connections(self, some: Iterable[Connection]) -> None:
        """Pushes to these may have been lost: they are told, once."""
        self._set_due(dict.fromkeys((*self._due, *(connection.connection_id for connection in some))))

    async def run(self) -> None:
        """Send what is due, for ever. Cancelling is safe."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due:
                self._send(min(self._batch, len(self._due)))
                await asyncio.sleep(_PAUSE_S)

    def _set_due(self, connection_ids: Iterable[int]) -> None:
        """All that is due from now on, and its pace: that of the few which were under way would not do for many."""
        self._due = deque(connection_ids)
        count = len(self._due)
        window_s = max(self._spread_s, count / self._per_s)
        self._batch = max(1, round(count * _PAUSE_S / window_s)) if window_s else count
        self._wake.set()

    def _send(self, count: int) -> None:
        now = self._hub.monotonic()
        for _ in range(count):
            connection = self._hub.connections.get(self._due.popleft())
            if connection is not None and connection.state in {State.OPENING, State.OPEN}:
                self._hub.tally.checks += 1
                connection.push(self._check, now)
