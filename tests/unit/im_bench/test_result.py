"""The result judges and writes itself."""

import pytest

from im_bench.ledger import Correctness
from im_bench.result import Latency, Result, Verdict


def test_latency_is_told_in_milliseconds_within_its_precision() -> None:
    latency = Latency()
    for milliseconds in range(1, 101):
        latency.record(milliseconds / 1000)
    summary = latency.summary()
    assert summary["p50"] == pytest.approx(50, rel=0.01)
    assert summary["p99"] == pytest.approx(99, rel=0.01)
    assert summary["max"] == pytest.approx(100, rel=0.01)


def test_nothing_counted_is_none_not_zero() -> None:
    assert Latency().summary() == {"p50": None, "p90": None, "p99": None, "p999": None, "max": None}


def test_incorrect_outweighs_invalid_outweighs_a_missed_target() -> None:
    result = Result(scenario="private", settings={})
    for verdict in (Verdict.TARGET_MISSED, Verdict.INCORRECT, Verdict.INVALID):
        result.worsen(verdict, verdict.name)
    assert result.verdict is Verdict.INCORRECT
    assert result.reasons == ["TARGET_MISSED", "INCORRECT", "INVALID"]


def test_the_json_has_the_documented_keys() -> None:
    raw = Result(scenario="private", settings={}, correctness=Correctness(lost=1)).as_json()
    assert raw["schema_version"] == 1
    assert raw["correctness"]["lost"] == 1
    assert raw["verdict"] == "GOOD"
    assert {"environment", "offered_per_s", "acked_per_s", "delivered_per_s", "latency_ms", "resources"} <= set(raw)
    assert {"generator", "series", "settings", "scenario"} <= set(raw)
    assert raw["environment"]["cores"] >= 1
