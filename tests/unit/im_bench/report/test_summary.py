"""The summary tells the verdict, the reasons and the figures."""

import io

from rich.console import Console

from im_bench.ledger.correctness import Correctness
from im_bench.report.result import Result
from im_bench.report.summary import print_summary
from im_bench.report.verdict import Verdict


def test_a_bad_run_says_so_first() -> None:
    result = Result(
        scenario="private",
        settings={"closed": False},
        offered_per_s=500,
        acked_per_s=499,
        delivered_per_s=498,
        latency_ms={"ack": {"p50": 12.3, "p90": 20, "p99": 30, "p999": None, "max": 1_234.5}},
        correctness=Correctness(lost=2),
        counts={"refused OVERLOADED": 3},
        generator={"processes": 1, "cpu_share": 0.5, "slip_p99_ms": 1.25},
    )
    result.worsen(Verdict.INCORRECT, "messages were lost")
    out = io.StringIO()
    print_summary(result, Console(file=out, width=120))
    lines = out.getvalue().strip().splitlines()
    assert lines[0] == "private  INCORRECT"
    assert "messages were lost" in lines[1]
    for told in (
        "offered 500/s · acked 499/s · delivered 498/s",
        "lost 2 · unstored 0 · duplicate 0",
        "12.3",
        "1,234.5",
        "refused OVERLOADED 3",
        "generator: 50% of a core, schedule late by 1.25 ms (p99)",
    ):
        assert told in out.getvalue()


def test_a_closed_loop_is_labelled_and_offers_nothing() -> None:
    out = io.StringIO()
    result = Result(scenario="private", settings={"closed": True}, offered_per_s=9, acked_per_s=9, delivered_per_s=9)
    print_summary(result, Console(file=out, width=120))
    assert "closed loop" in out.getvalue()
    assert "offered" not in out.getvalue()
