"""How long leaving takes."""

import pytest

from im_gateway.drain import longest_s, window_s
from im_gateway.settings import DrainSettings


@pytest.mark.parametrize(
    ("connections", "others", "seconds"),
    [(0, True, 0), (100, True, 30), (8_000, True, 40), (20_000, True, 45), (100, False, 0.5), (20_000, False, 1)],
)
def test_the_window_grows_with_connections_unless_nobody_else_lives(
    connections: int, others: bool, seconds: float
) -> None:
    assert window_s(connections, others=others, settings=DrainSettings()) == seconds


def test_a_longer_least_window_is_kept() -> None:
    settings = DrainSettings(min_window_s=60, max_window_s=45)
    assert window_s(1, others=True, settings=settings) == 60
    assert longest_s(settings) > 60


@pytest.mark.parametrize("connections", [1, 100_000])
@pytest.mark.parametrize("others", [True, False])
def test_no_window_is_longer_than_whoever_stops_it_waits(connections: int, others: bool) -> None:
    settings = DrainSettings()
    assert window_s(connections, others=others, settings=settings) < longest_s(settings) <= 55
