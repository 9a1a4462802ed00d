"""The search ends at the edge, wherever it lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_bench.capacity.search import Bounds, GeneratorTooSlowError, Search, why_not
from im_bench.report.judge import BUSY_SHARE, SLIP_LIMIT_MS
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict


def find(edge: float, bounds: Bounds) -> tuple[Search, list[float]]:
    search, tried = Search(bounds), list[float]()
    while (rate := search.next_rate()) is not None:
        tried.append(rate)
        search.tell(rate, sustained=rate <= edge)
    return search, tried


@given(edge=st.floats(30, 500_000))
def test_the_edge_is_found_within_the_precision(edge: float) -> None:
    search, tried = find(edge, Bounds(200, 100_000, 0.1))
    assert search.held is not None
    assert search.held <= edge
    assert search.held == 100_000 or search.held * 1.1 >= min(edge, 100_000) * 0.99
    assert len(tried) < 40


def test_a_server_that_holds_nothing_is_given_up() -> None:
    search, tried = find(1, Bounds(200, 1_000, 0.1))
    assert search.held is None
    assert min(tried) == 25


def test_one_hiccup_is_no_break() -> None:
    search = Search(Bounds(100, 100, 0.1))
    search.tell(100, sustained=False)
    assert search.next_rate() == 100
    search.tell(100, sustained=True)
    assert (search.held, search.broke, search.next_rate()) == (100, None, None)


def result(**changed: object) -> Result:
    made = Result("private", {}, offered_per_s=100, acked_per_s=99, delivered_per_s=99)
    made.latency_ms = {"delivery": {"p50": 1.0, "p90": 2.0, "p99": 50.0, "p999": 60.0, "max": 70.0}}
    for name, value in changed.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"acked_per_s": 90.0}, "90 of 100"),
        ({"verdict": Verdict.INCORRECT, "reasons": ["pages lacked entries"]}, "pages lacked entries"),
        ({"verdict": Verdict.INVALID, "reasons": ["90 were offered and none was acked"]}, "none was acked"),
        ({"latency_ms": {}}, "nothing was measured"),
    ],
)
def test_a_rate_holds_when_all_is_acked_in_time(changed: dict[str, object], said: str) -> None:
    told = why_not(result(**changed), p99_ms=50)
    assert said in told
    assert bool(told) is bool(said)


def test_slower_than_the_limit_breaks() -> None:
    assert "50.0 ms" in why_not(result(), p99_ms=49)


def test_nothing_is_said_of_a_server_that_the_generator_could_not_fill() -> None:
    late = {"slip_p99_ms": SLIP_LIMIT_MS + 1, "cpu_share": BUSY_SHARE + 0.01}
    with pytest.raises(GeneratorTooSlowError, match="late"):
        why_not(result(verdict=Verdict.INVALID, reasons=["late"], generator=late), p99_ms=50)


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ([(100, True)], "as high as was looked"),
        ([(100, False)] * 2, "even"),
        ([(100, True), (101, False)], "precision"),
    ],
)
def test_it_says_why_it_ended(told: list[tuple[float, bool]], end: str) -> None:
    search = Search(Bounds(100, 100, 0.1))
    for rate, sustained in told:
        search.tell(rate, sustained=sustained)
        if not sustained:
            search.tell(rate, sustained=False)
    assert end in search.end
