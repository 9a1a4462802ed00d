"""Expectations are read as written, and a miss says what was found."""

import pytest

from im_bench.ledger.correctness import Correctness
from im_bench.report.expectations import Vocabulary, expect, main_latency, parse_expectations
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict


def summary(p99: float) -> dict[str, float | None]:
    return {"p50": 1.0, "p90": 2.0, "p99": p99, "p999": p99, "max": p99}


def judged(text: str | None) -> Result:
    result = Result(
        "private", {}, acked_per_s=900, delivered_per_s=899,
        latency_ms={"connect": summary(900), "ack": summary(20), "delivery": summary(150)},
        correctness=Correctness(gap=2), measured={"cluster_kib_per_connection": 11.5},
    )  # fmt: skip
    expect(result, parse_expectations(text))
    return result


@pytest.mark.parametrize(
    "text",
    [None, "p99=200ms", "p99=0.2s,lost=0", "ack.p99=20ms", "acked=900/s", "acked=900", "cluster_kib_per_connection=12"],
)
def test_what_was_reached_is_good(text: str | None) -> None:
    assert judged(text).verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p99=100ms", "150 ms found"),
        ("ack.max=19ms", "20 ms found"),
        ("acked=901/s", "900/s found"),
        ("gap=1", "2 found"),
        ("offered=1/s", "was not measured"),
        ("sync.p99=1ms", "was not measured"),
        ("no_such_thing=1", "was not measured"),
    ],
)
def test_a_miss_says_what_was_found(text: str, said: str) -> None:
    result = judged(text)
    assert result.verdict is Verdict.TARGET_MISSED
    assert said in result.reasons[0]


@pytest.mark.parametrize("text", ["p99", "p99=fast", "p99=200", "p99=200/s", "lost=0ms", "acked=5ms", "p99=-1ms"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"p99|lost|acked"):
        parse_expectations(text)


@pytest.mark.parametrize("text", ["", " ", "p99=200ms,", ",lost=0", "p99=200ms,,lost=0"])
def test_a_term_that_is_empty_is_no_open_gate(text: str) -> None:
    """A pipeline whose variable is not set would expect nothing."""
    with pytest.raises(ValueError, match="'' is no expectation"):
        parse_expectations(text)


def test_what_is_counted_is_whole_and_everything_finite() -> None:
    with pytest.raises(ValueError, match="lost is counted: write a whole number"):
        parse_expectations("lost=0.5")
    assert parse_expectations("lost=1.0")[0].value == 1
    with pytest.raises(ValueError, match="is no expectation"):
        parse_expectations(f"p99={'9' * 400}ms")


@pytest.mark.parametrize("text", ["p98=3ms", "ack.p95=1s"])
def test_a_percentile_that_is_not_kept_is_told_with_those_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="only p50, p90, p99, p999, max"):
        parse_expectations(text)


def test_a_bare_percentile_is_about_what_the_scenario_measures() -> None:
    assert main_latency(Result("private", {}, delivered_per_s=1, latency_ms={"ack": summary(1)})) == "ack"
    pulls = Result("history", {}, latency_ms={"connect": summary(1), "pull": summary(2)})
    assert main_latency(pulls) == "pull"
    assert main_latency(Result("connect", {}, latency_ms={"connect": summary(1)})) == "connect"
    assert main_latency(Result("x", {})) is None


@pytest.mark.parametrize(
    "text", [None, "p99=1s", "max=1s", "ack.p50=1ms", "acked=5/s", "lost=0", "gateway-a_grown_mib=9"]
)
def test_what_is_reported_may_be_expected(text: str | None) -> None:
    known = Vocabulary(("delivery", "ack"), ("acked", "lost", "*_grown_mib"))
    assert known.problem(parse_expectations(text)) is None


@pytest.mark.parametrize("text", ["sync.p99=1ms", "delivered=1/s", "lots=0", "grown_mib=9", "acked=1/s,lsot=0"])
def test_what_is_not_reported_is_told_with_what_is(text: str) -> None:
    known = Vocabulary(("delivery", "ack"), ("acked", "lost", "*_grown_mib"))
    problem = known.problem(parse_expectations(text))
    assert problem is not None
    assert text.rpartition(",")[2] in problem
    assert "delivery, ack" in problem
    assert "acked, lost, PROCESS_grown_mib" in problem
