"""Emits arrivals at their intended moments and watches how late it is itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from im_bench.load.alarm import Alarm
from im_bench.load.schedule import Schedule
from im_bench.load.window import Window
from im_bench.measure.latency import Recorder

LONGEST_SLEEP_S: Final = 0.1
"""How soon a window that was cut is noticed."""
SHORTEST_SLEEP_S: Final = 0.001
"""Arrivals that fall due within it leave together; latency counts from the intended moment all the same. A wake-up costs
as much as sending: at 6,000/s those of 0.2 ms took a sixth of a core that the servers can use."""
MOST_AT_ONCE: Final = 64
"""After so many the loop has a turn: a generator that fell behind still reads what comes."""


class Pacer:
    """Runs a schedule. Its clock is `time.monotonic()`: the loop's own may count whole milliseconds.

    Args:
        schedule: the arrivals.
        window: no arrival at or after its end.
        emit: called with the intended moment, in `time.monotonic()` seconds.
        slip: told how much later than intended each measured arrival left.
    """

    def __init__(self, schedule: Schedule, window: Window, *, emit: Callable[[float], None], slip: Recorder) -> None:
        self._schedule = schedule
        self._window = window
        self._emit = emit
        self._slip = slip

    async def run(self) -> None:
        """Emit until the window ends."""
        window = self._window
        due = window.begin + next(self._schedule)
        with Alarm() as alarm:
            while due < window.end:
                due = self._emit_due(due)
                wait_s = due - time.monotonic()
                if wait_s <= 0:
                    await asyncio.sleep(0)
                else:
                    await alarm.sleep(min(LONGEST_SLEEP_S, max(SHORTEST_SLEEP_S, wait_s)))

    def _emit_due(self, due: float) -> float:
        """Emit what is due by now; returns when the next one is."""
        window, begin = self._window, self._window.begin
        for _ in range(MOST_AT_ONCE):
            now = time.monotonic()
            if due > now or due >= window.end:
                break
            if due in window:
                self._slip.record(now - due)
            self._emit(due)
            due = begin + next(self._schedule)
        return due
