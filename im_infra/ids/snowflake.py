"""Snowflakes: 41 bits of milliseconds since 2025-01-01, 10 bits of worker, 12 bits of sequence.

Two processes never share a worker id at the same recorded time (see `discovery.WorkerLease`), so an id is unique if its
maker (1) never goes back, (2) stays above the lease's floor and (3) stays within the window recorded ahead of use. The
wall clock is followed where it moves forward inside the window; wherever it jumps back, or ahead out of the window, the
time runs on by the monotonic clock from where it was. So a leaping clock stops nobody; only the end of a lease does.
"""

from typing import Final, Protocol

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.discovery.abstract import WorkerLease
from im_infra.errors import ImError

EPOCH_MS: Final = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""

_WORKER_SHIFT: Final = 12
_TIME_SHIFT: Final = 22
_LAST_SEQUENCE: Final = (1 << _WORKER_SHIFT) - 1
MAX_WORKERS: Final = 1 << (_TIME_SHIFT - _WORKER_SHIFT)
_LAST_MS: Final = EPOCH_MS + (1 << 41) - 1


class LeaseSource(Protocol):
    """Whoever holds this process's worker lease."""

    @property
    def lease(self) -> WorkerLease | None:
        """The lease as renewed last; None before there is one."""
        ...


class Snowflake:
    """Makes ids under a worker lease; each is greater than all before it from this object.

    To be used from one thread. A call costs about a microsecond and waits for nothing: when a millisecond's 4,096 ids
    are used up it goes on with the next one's.

    Args:
        leases: who holds the lease.
        clock: wall and monotonic time.
    """

    def __init__(self, leases: LeaseSource, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        self._worker_id = -1
        self._last_ms = EPOCH_MS - 1
        self._last_sequence = _LAST_SEQUENCE
        self._line_us = -(1 << 63)  # time to go by = monotonic + line; microseconds, in whole numbers to stay exact

    def next_id(self) -> int:
        """The next id.

        Raises:
            ImError: UNAVAILABLE: there is no lease, or it has ended.
        """
        return self.next_ids(1)[0]

    def next_ids(self, count: int) -> list[int]:
        """The next `count` ids, ascending; all or none.

        Raises:
            ImError: UNAVAILABLE: there is no lease, or it has ended.
        """
        lease = self._leases.lease
        monotonic = self._clock.monotonic()
        if lease is None or monotonic > lease.deadline:
            raise ImError(error_table.UNAVAILABLE, "no valid worker lease to make ids under", retry_after_ms=1_000)
        last_ms, sequence = self._last_ms, self._last_sequence
        if lease.worker_id != self._worker_id:
            sequence = _LAST_SEQUENCE  # a lower worker id in the same millisecond would be a step back
        if last_ms <= lease.floor_time:
            last_ms, sequence = lease.floor_time, _LAST_SEQUENCE
        monotonic_us = int(monotonic * 1_000_000)
        line_us = self._follow(lease, monotonic_us, earliest_ms=last_ms)
        now_ms = (monotonic_us + line_us) // 1000
        ids: list[int] = []
        if now_ms > last_ms:
            last_ms, sequence = now_ms, -1
        worker = lease.worker_id << _WORKER_SHIFT
        while count > 0:
            if sequence == _LAST_SEQUENCE:
                last_ms, sequence = last_ms + 1, -1
            some = min(count, _LAST_SEQUENCE - sequence)
            first = (last_ms - EPOCH_MS) << _TIME_SHIFT | worker | (sequence + 1)
            ids.extend(range(first, first + some))
            sequence += some
            count -= some
        if last_ms > min(lease.high_time, _LAST_MS):
            raise ImError(error_table.UNAVAILABLE, "the worker lease's window is used up", retry_after_ms=1_000)
        self._worker_id, self._line_us = lease.worker_id, line_us
        self._last_ms, self._last_sequence = last_ms, sequence
        return ids

    def _follow(self, lease: WorkerLease, monotonic_us: int, *, earliest_ms: int) -> int:
        """The line of time to go by now: moved up to the wall clock where that lies ahead of it inside the window."""
        line_us = max(self._line_us, earliest_ms * 1000 - monotonic_us)
        wall_ms = self._clock.now_ms()
        if wall_ms <= lease.high_time:
            line_us = max(line_us, wall_ms * 1000 - monotonic_us)
        return line_us


def snowflake_time_ms(snowflake: int) -> int:
    """When an id was made, by its maker's clock, in milliseconds since the epoch."""
    return (snowflake >> _TIME_SHIFT) + EPOCH_MS
