"""From when on a sync looks: a pure rule."""

from typing import Final

OVERLAP_MS: Final = 60_000
"""A transaction that began before the last sync's moment may have committed after it; a minute covers any we allow."""


def since_time(time: int) -> int:
    """The moment from which on heads are wanted, given when the device last synced; 0: everything."""
    return max(0, time - OVERLAP_MS)
