"""The result judges and writes itself."""

from im_bench.ledger.correctness import Correctness
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict


def test_incorrect_outweighs_invalid_outweighs_a_missed_target() -> None:
    result = Result(scenario="private", settings={})
    for verdict in (Verdict.TARGET_MISSED, Verdict.INCORRECT, Verdict.INVALID):
        result.worsen(verdict, verdict.name)
    assert result.verdict is Verdict.INCORRECT
    assert result.reasons == ["TARGET_MISSED", "INCORRECT", "INVALID"]


def test_a_note_makes_nothing_worse() -> None:
    result = Result(scenario="private", settings={})
    result.note("the machine was full")
    assert (result.verdict, result.notes) == (Verdict.GOOD, ["the machine was full"])


def test_the_json_has_the_documented_keys() -> None:
    raw = Result(scenario="private", settings={}, correctness=Correctness(lost=1)).as_json()
    assert raw["schema_version"] == 1
    assert raw["correctness"]["lost"] == 1
    assert raw["verdict"] == "GOOD"
    assert {"environment", "offered_per_s", "acked_per_s", "delivered_per_s", "latency_ms", "resources"} <= set(raw)
    assert {"generator", "series", "settings", "scenario", "steps"} <= set(raw)
