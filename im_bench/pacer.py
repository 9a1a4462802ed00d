"""Emits arrivals at their intended moments and watches how late it is itself."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from im_bench.result import Latency

TICK_S: Final = 0.001
"""Arrivals that fall due within a tick leave together; latency counts from the intended moment all the same."""


class Pacer:
    """Runs a schedule. Its clock is `time.monotonic()`: the loop's own may count whole milliseconds.

    Args:
        schedule: seconds since the start of each arrival, ascending.
        duration_s: no arrival after it.
        emit: called with the intended moment, in `time.monotonic()` seconds.
    """

    def __init__(self, schedule: Iterator[float], *, duration_s: float, emit: Callable[[float], None]) -> None:
        self._schedule = schedule
        self._duration_s = duration_s
        self._emit = emit
        self.slip = Latency()
        """How much later than intended arrivals left the pacer."""
        self.emitted = 0

    async def run(self) -> None:
        """Emit until the duration is over."""
        start = time.monotonic()
        due = start + next(self._schedule)
        end = start + self._duration_s
        while due < end:
            now = time.monotonic()
            while due <= now and due < end:
                self._emit(due)
                self.slip.record(now - due)
                self.emitted += 1
                due = start + next(self._schedule)
            await asyncio.sleep(max(0.0, min(TICK_S, due - time.monotonic())))
