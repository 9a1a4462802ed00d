"""Writing what gathered, once per turn of the loop; what nobody waits for travels along, or goes a little later.

What goes to a crowd, the members of a large conversation, goes in small shares behind everything else: a thousand
writes take 25 ms, and an ack or a private message would wait for all of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

_WRITES_A_TURN: Final = 500
"""A write is a system call of about 10 µs: more would hold up everybody else on the loop for too long."""
_CROWD_WRITES_A_TURN: Final = 100
"""An ack that comes in amid a crowd's writes waits for no more than these."""
_LINGER_S: Final = 0.2
"""How long what nobody waits for may wait for company: a write costs more than all that is in it."""


class Flushable(Protocol):
    """Something with data to write."""

    dirty: bool
    """Whether it is queued here already, by `add`."""
    in_crowd: bool
    """Whether it is queued here already, by `add_to_crowd`."""

    def flush(self) -> None:
        """Write what may be written; must not raise."""
        ...


class Round(Protocol):
    """One thing that goes to a crowd."""

    def write(self, most: int) -> int:
        """Write to the next so many; to how many it was: to fewer, once that is everybody. Must not raise."""
        ...


class Loop(Protocol):
    """What schedules."""

    def call_soon(self, callback: Callable[[], None]) -> object:
        """At the end of this turn."""
        ...

    def call_later(self, delay: float, callback: Callable[[], None]) -> object:
        """After so many seconds."""
        ...


class Flusher:
    """Connections with something to write, each at most once.

    Args:
        loop: schedules the flushes; the running loop, by default.
    """

    def __init__(self, loop: Loop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._dirty: deque[Flushable] = deque()  # bounded by the number of connections: each is in it once
        self._crowd: deque[Flushable] = deque()  # bounded likewise
        self._rounds: deque[Round] = deque()  # bounded by the number of conversations: each has one under way
        self._lingering: set[Flushable] = set()  # bounded likewise
        self._scheduled = False

    def add(self, connection: Flushable) -> None:
        """Flush `connection` at the end of this turn of the loop."""
        connection.dirty = True
        self._dirty.append(connection)
        self._schedule()

    def add_to_crowd(self, connection: Flushable) -> None:
        """Flush `connection` when it is the crowd's turn; what it is told by `add` meanwhile takes all along."""
        connection.in_crowd = True
        self._crowd.append(connection)
        self._schedule()

    def add_round(self, one: Round) -> None:
        """Write `one` when it is the crowd's turn, behind what was queued for it."""
        self._rounds.append(one)
        self._schedule()

    def linger(self, connection: Flushable) -> None:
        """Flush `connection` with whatever it is to be told next, or in a while."""
        if not self._lingering:
            self._loop.call_later(_LINGER_S, self._end_lingering)
        self._lingering.add(connection)

    def flush_all(self) -> None:
        """Write everything now: before closing."""
        self._end_lingering()
        while self._waits:
            self._flush_some()

    @property
    def _waits(self) -> bool:
        return bool(self._dirty or self._crowd or self._rounds)

    def _end_lingering(self) -> None:
        lingering, self._lingering = self._lingering, set()
        for connection in lingering:
            if not connection.dirty:
                self.add(connection)

    def _flush(self) -> None:
        self._scheduled = False
        self._flush_some()
        if self._waits:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush_some(self) -> None:
        for _ in range(min(_WRITES_A_TURN, len(self._dirty))):
            connection = self._dirty.popleft()
            connection.dirty = False
            connection.flush()
        left = _CROWD_WRITES_A_TURN
        for _ in range(min(left, len(self._crowd))):
            connection = self._crowd.popleft()
            connection.in_crowd = False
            connection.flush()  # nothing, if it was told something else meanwhile
            left -= 1
        while left and self._rounds:
            written = self._rounds[0].write(left)
            if written < left:
                self._rounds.popleft()
            left -= written
