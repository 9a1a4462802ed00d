"""Small or large: which way a conversation's entries go out, and when that changes. Rules over plain values."""

from typing import NamedTuple

from im_repo.log.values import FANOUT_LARGE, FANOUT_SMALL, KIND_WORLD


class FanoutBounds(NamedTuple):
    """When the class changes; between the two numbers it stays what it was."""

    large_above: int = 500
    """More members than this: large."""
    small_below: int = 400
    """Fewer members than this: small."""
    both_ways_ms: int = 30_000
    """So long after a change entries go out both ways; `seq` drops the doubles."""


def next_fanout(*, kind: int, fanout: int, member_count: int, bounds: FanoutBounds) -> int:
    """The class with so many members."""
    if kind == KIND_WORLD or member_count > bounds.large_above:
        return FANOUT_LARGE
    return FANOUT_SMALL if member_count < bounds.small_below else fanout


def other_fanout(fanout: int, *, changed_time: int, now: int, bounds: FanoutBounds) -> int:
    """The class before, while both ways run; 0: only one does."""
    if not changed_time or now - changed_time >= bounds.both_ways_ms:
        return 0
    return FANOUT_SMALL if fanout == FANOUT_LARGE else FANOUT_LARGE
