"""A server keeps up as long as nearly all that is offered is acked."""

import pytest

from im_bench.report.keeping_up import keeps_up


@pytest.mark.parametrize(
    ("offered", "acked", "closed", "expected"),
    [
        (100.0, 97.0, False, True),
        (100.0, 96.9, False, False),
        (100.0, None, False, False),
        (100.0, 1.0, True, True),
        (None, None, False, True),
    ],
)
def test_nearly_all_is_enough(offered: float | None, acked: float | None, closed: bool, expected: bool) -> None:
    assert keeps_up(offered, acked, closed=closed) is expected
