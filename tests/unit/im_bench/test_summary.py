"""The summary tells the verdict, the reasons and the figures."""

import io

from rich.console import Console

from im_bench.ledger import Correctness
from im_bench.result import Latency, Result, Verdict
from im_bench.summary import print_summary


def test_a_bad_run_says_so_first() -> None:
    latency = Latency()
    latency.record(0.0123)
    result = Result(
        scenario="private",
        settings={},
        offered_per_s=500,
        acked_per_s=499,
        delivered_per_s=498,
        latency_ms={"ack": latency.summary()},
        correctness=Correctness(lost=2),
        generator={"cpu_share": 0.5, "slip_p99_ms": 1.25},
    )
    result.worsen(Verdict.INCORRECT, "messages were lost")
    out = io.StringIO()
    print_summary(result, Console(file=out, width=100))
    lines = out.getvalue().strip().splitlines()
    assert lines[0] == "private  INCORRECT"
    assert "messages were lost" in lines[1]
    assert "offered 500/s · acked 499/s · delivered 498/s" in out.getvalue()
    assert "lost 2 · duplicate 0" in out.getvalue()
    assert "12.3" in out.getvalue()
    assert "generator: 50% of a core, schedule late by 1.2 ms (p99)" in out.getvalue()
