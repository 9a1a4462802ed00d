"""From when on a sync looks: a pure rule."""

from typing import Final

OVERLAP_MS: Final = 60_000
"""A transaction that began before the last sync's moment may have committed after it; a minute covers any we allow."""


def since_time(time: int, generation: int, *, server_generation: int) -> int:
    """The moment from which on heads are wanted; 0: everything.

    Times of another clock generation say nothing: the database's clock went back since.
    """
    if time <= 0 or generation != server_generation:
        return 0
    return max(0, time - OVERLAP_MS)
