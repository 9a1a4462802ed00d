"""How long a worker lease lasts and how far its times reach: rules without I/O."""

from typing import Final

from im_infra.discovery.abstract import WorkerLease

LEASE_S: Final = 900.0
"""How far ahead of use a worker's times are recorded."""

_ISSUING_S: Final = LEASE_S * 2 / 3


def deadline(asked_at: float) -> float:
    """When issuing stops, in monotonic seconds, for a lease that was asked for at `asked_at`: before the answer came."""
    return asked_at + _ISSUING_S


def first_high_time(now_ms: int, above: int = 0) -> int:
    """How far the times of a new lease reach that begins `above` a time, ms since the epoch."""
    return max(now_ms, above) + int(LEASE_S * 1000)


def extended_high_time(lease: WorkerLease, now_ms: int, asked_at: float) -> int:
    """How far they reach after a renewal.

    At least by the time that has passed since the last one, though the wall clock stepped back: the holder's ids run on
    by the monotonic clock and must not hit the end of the window.
    """
    since_last_s = asked_at - (lease.deadline - _ISSUING_S)
    return max(first_high_time(now_ms), lease.high_time + int(since_last_s * 1000))
