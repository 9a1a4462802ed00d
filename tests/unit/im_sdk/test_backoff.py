import random

import pytest

from im_sdk._backoff import HEALTHY_S, LIMIT_S, around, reconnect_delay, repeat_delay


@pytest.mark.parametrize(
    ("failures", "ceiling"), [(0, HEALTHY_S), (1, 2), (2, 4), (4, 16), (5, LIMIT_S), (99, LIMIT_S)]
)
def test_reconnects_use_full_jitter_up_to_a_doubling_ceiling(failures: int, ceiling: float) -> None:
    source = random.Random(1)
    delays = [reconnect_delay(failures, source) for _ in range(2_000)]
    assert 0 <= min(delays) < ceiling * 0.05
    assert ceiling * 0.95 < max(delays) <= ceiling


def test_nobody_waits_longer_than_they_have_been_away() -> None:
    source = random.Random(1)
    for away_s, ceiling in ((0.1, HEALTHY_S), (3, 3), (20, 20), (99, LIMIT_S)):
        delays = [reconnect_delay(9, source, away_s=away_s) for _ in range(2_000)]
        assert ceiling * 0.95 < max(delays) <= ceiling


def test_what_the_server_asked_for_is_the_least() -> None:
    assert reconnect_delay(0, random.Random(1), at_least_s=7) >= 7
    assert repeat_delay(1, random.Random(1), at_least_s=7) >= 7


def test_repeats_wait_longer_each_time_up_to_ten_seconds() -> None:
    source = random.Random(1)
    assert 0.1 <= repeat_delay(1, source) <= 0.2
    assert 5 <= repeat_delay(50, source) <= 10


def test_around_is_twenty_per_cent_to_both_sides() -> None:
    source = random.Random(1)
    values = [around(100, source) for _ in range(2_000)]
    assert 80 <= min(values) < 82
    assert 118 < max(values) <= 120
