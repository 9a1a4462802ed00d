"""Tells the server what was received, as every official client does: at most once a second and connection, merged.

Thousands of connections that confirm in the same moment would stall the generator; so each has its own second.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor

INTERVAL_S: Final = 1.0
TICK_S: Final = 0.01


class Teller(Protocol):
    """A connection."""

    def tell(self, frame: ClientFrame) -> None:
        """Send a frame."""


class Receipts:
    """The pending confirmations of one process."""

    def __init__(self) -> None:
        self._cursors: dict[Teller, dict[int, int]] = {}  # bounded by the connections and what they are in
        self._due: deque[tuple[float, Teller]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, connection: Teller, conversation_id: int, seq: int) -> None:
        """`connection` received the entry at `seq`."""
        cursors = self._cursors.get(connection)
        if cursors is None:
            cursors = self._cursors[connection] = {}
            self._due.append((asyncio.get_running_loop().time() + INTERVAL_S, connection))
        cursors[conversation_id] = seq

    @contextmanager
    def running(self) -> Iterator[None]:
        """Confirm for as long as the context lasts."""
        self._tick()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._due and self._due[0][0] <= now:
            _, connection = self._due.popleft()
            cursors = (Cursor(conversation_id=each, seq=seq) for each, seq in self._cursors.pop(connection).items())
            connection.tell(ClientFrame(ack_received=AckReceivedRequest(cursors=cursors)))
        self._timer = loop.call_later(TICK_S, self._tick)
