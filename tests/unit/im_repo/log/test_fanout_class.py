"""Small and large, with room between the bounds."""

from typing import Any

import pytest

from im_repo.log.fanout_class import FanoutBounds, next_fanout, other_fanout

BOUNDS = FanoutBounds(large_above=500, small_below=400, both_ways_ms=30_000)


@pytest.mark.parametrize(
    ("kind", "fanout", "members", "expected"),
    [
        (2, 1, 500, 1), (2, 1, 501, 2), (2, 2, 500, 2), (2, 2, 400, 2), (2, 2, 399, 1), (2, 1, 399, 1), (3, 2, 0, 2),
    ],
)  # fmt: skip
def test_the_class_changes_at_the_bounds_only(kind: Any, fanout: Any, members: Any, expected: Any) -> None:
    assert next_fanout(kind=kind, fanout=fanout, member_count=members, bounds=BOUNDS) == expected


@pytest.mark.parametrize(
    ("fanout", "changed", "now", "expected"),
    [(1, 0, 5, 0), (2, 1_000, 1_000, 1), (1, 1_000, 30_999, 2), (1, 1_000, 31_000, 0)],
)
def test_both_ways_run_for_a_while(fanout: Any, changed: Any, now: Any, expected: Any) -> None:
    assert other_fanout(fanout, changed_time=changed, now=now, bounds=BOUNDS) == expected
