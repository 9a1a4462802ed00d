"""Writing what gathered, once per turn of the loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

_WRITES_A_TURN: Final = 500
"""A write is a system call of about 10 µs: more would hold up everybody else on the loop for too long."""


class Flushable(Protocol):
    """Something with data to write."""

    dirty: bool
    """Whether it is queued here already."""

    def flush(self) -> None:
        """Write what may be written; must not raise."""
        ...


class Flusher:
    """Connections with something to write, each at most once.

    Args:
        call_soon: schedules the flush; the loop's, by default.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._call_soon = call_soon or asyncio.get_running_loop().call_soon
        self._dirty: deque[Flushable] = deque()  # bounded by the number of connections: each is in it once
        self._scheduled = False

    def add(self, connection: Flushable) -> None:
        """Flush `connection` at the end of this turn of the loop."""
        connection.dirty = True
        self._dirty.append(connection)
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._flush)

    def flush_all(self) -> None:
        """Write everything now: before closing."""
        while self._dirty:
            self._flush_some()

    def _flush(self) -> None:
        self._scheduled = False
        self._flush_some()
        if self._dirty and not self._scheduled:
            self._scheduled = True
            self._call_soon(self._flush)

    def _flush_some(self) -> None:
        for _ in range(min(_WRITES_A_TURN, len(self._dirty))):
            connection = self._dirty.popleft()
            connection.dirty = False
            connection.flush()
