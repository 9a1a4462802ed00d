"""How long leaving takes."""

import pytest

from im_gateway.drain import window_s
from im_gateway.settings import DrainSettings


@pytest.mark.parametrize(
    ("connections", "others", "seconds"),
    [(0, True, 0), (100, True, 30), (20_000, True, 100), (100, False, 0.5), (20_000, False, 1)],
)
def test_the_window_grows_with_connections_unless_nobody_else_lives(
    connections: int, others: bool, seconds: float
) -> None:
    assert window_s(connections, others=others, settings=DrainSettings()) == seconds
