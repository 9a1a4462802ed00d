from im_bench.scenarios import offline
from im_logic.sync.since import OVERLAP_MS, since_time


def test_it_looks_a_minute_further_back() -> None:
    assert since_time(1_000_000) == 1_000_000 - OVERLAP_MS


def test_without_a_moment_it_is_everything() -> None:
    assert since_time(0) == 0
    assert since_time(-5) == 0


def test_it_never_is_before_the_epoch() -> None:
    assert since_time(5) == 0


def test_the_load_tester_knows_the_overlap() -> None:
    """It may import no service; were its own figure another one, `offline` would measure another catch-up than it says."""
    assert offline.OVERLAP_MS == OVERLAP_MS
