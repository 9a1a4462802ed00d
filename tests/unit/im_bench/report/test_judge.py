"""What a record is worth."""

import pytest

from im_bench.ledger.correctness import Correctness
from im_bench.measure.latency import Latency, Recorder
from im_bench.measure.resources import Usage
from im_bench.report.judge import judge, summarise
from im_bench.report.record import Measured, Record, StepRecord
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict


def latency_of(*seconds: float) -> Latency:
    recorder, latency = Recorder(), Latency()
    for one in seconds:
        recorder.record(one)
    latency.add(recorder.take())
    return latency


def judged(*, slip_s: float, cpu_s: float, correctness: Correctness | None = None, **record: object) -> Result:
    measured = Measured(
        elapsed_s=10.0, offered=1000, acked=900, delivered=800, generator_cpu_s=[1.0, cpu_s],
        before={"cluster": Usage(1.0, 100.0)}, after={"cluster": Usage(4.5, 120.0)},
    )  # fmt: skip
    latencies = {"slip": latency_of(slip_s), "ack": latency_of(0.005)}
    whole = Record(latencies=latencies, measured=measured, **record)  # type: ignore[arg-type]
    result = Result("private", {}, correctness=correctness or Correctness())
    summarise(whole, result)
    judge(whole, result)
    return result


def test_rates_resources_and_the_busiest_generator_are_told() -> None:
    result = judged(slip_s=0.001, cpu_s=5.0)
    assert result.verdict is Verdict.GOOD
    assert (result.offered_per_s, result.acked_per_s, result.delivered_per_s) == (100, 90, 80)
    assert result.resources == {"cluster": {"cpu_s": 3.5, "rss_mib": 120.0}}
    assert (result.generator["processes"], result.generator["cpu_share"]) == (2, 0.5)
    assert "slip" not in result.latency_ms


def test_a_late_and_busy_generator_makes_the_run_invalid() -> None:
    result = judged(slip_s=0.020, cpu_s=9.0)
    assert result.verdict is Verdict.INVALID
    assert "--workers" in result.reasons[0]


def test_a_late_generator_on_a_full_machine_is_told_and_valid() -> None:
    result = judged(slip_s=0.020, cpu_s=5.0)
    assert result.verdict is Verdict.GOOD
    assert any("the machine was full" in note for note in result.notes)


def test_a_server_that_did_not_keep_up_is_told_first() -> None:
    result = judged(slip_s=0.020, cpu_s=5.0)
    assert result.notes[0] == "the server did not keep up: 90% of what was offered was acked in time"


def test_a_loss_outweighs_everything() -> None:
    assert judged(slip_s=0.020, cpu_s=9.9, correctness=Correctness(lost=1)).verdict is Verdict.INCORRECT


def test_what_never_left_and_a_stop_by_hand_are_told() -> None:
    result = judged(slip_s=0.001, cpu_s=1.0, counts={"never sent": 5}, stopped=True)
    assert result.verdict is Verdict.GOOD
    assert any("stopped by hand" in note for note in result.notes)
    assert any(note.startswith("5 messages were due") for note in result.notes)


def test_without_a_measured_window_nothing_is_guessed() -> None:
    result = Result("idle", {})
    record = Record(latencies={"connect": latency_of(0.1)})
    summarise(record, result)
    judge(record, result)
    assert (result.offered_per_s, result.resources, result.verdict) == (None, None, Verdict.GOOD)


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (None, "nothing was measured"),
        (Measured(elapsed_s=5.0), "nothing was measured"),
        (Measured(elapsed_s=5.0, offered=1200), "1,200 were offered and none was acked"),
    ],
)
def test_a_drive_in_which_nothing_was_acked_proves_nothing(measured: Measured | None, said: str) -> None:
    record = Record(steps=[StepRecord("drive", 0.0)], latencies={"connect": latency_of(0.1)}, measured=measured)
    result = Result("private", {})
    summarise(record, result)
    judge(record, result)
    assert (result.verdict, result.reasons) == (Verdict.INVALID, [said])
