"""Time as an argument: the system's, and one that tests move by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the epoch; may jump either way."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines; comparable with `time.monotonic()` of this process."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """`time.monotonic()`."""
        return time.monotonic()


class ManualClock:
    """Time that stands still until it is moved: for tests and simulations.

    Args:
        now_ms: wall time to start from, milliseconds since the epoch.
        monotonic: monotonic seconds to start from.
    """

    def __init__(self, now_ms: int = 1_800_000_000_000, monotonic: float = 1_000.0) -> None:
        self._now_ms = now_ms
        self._monotonic = monotonic

    def now_ms(self) -> int:
        """The wall time set last."""
        return self._now_ms

    def monotonic(self) -> float:
        """The monotonic time reached."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks; not negative."""
        assert seconds >= 0, "time passes forward; jump() moves the wall clock back"
        self._monotonic += seconds
        self._now_ms += round(seconds * 1000)

    def jump(self, milliseconds: int) -> None:
        """Set the wall clock forward or back, as an administrator or a leaping NTP would."""
        self._now_ms += milliseconds
