"""What is shown of a run, in a terminal and in a log."""

import io

from rich.console import Console

from im_bench.report.record import Row
from im_bench.scenarios.abstract import Step
from im_cli.bench.display import Display


def row() -> Row:
    summary = {"p50": 1.0, "p90": 2.0, "p99": 12.5, "p999": 20.0, "max": 30.0}
    return Row(1.0, "drive", True, 500.0, 499.0, 498.0, 1_000, {"delivery": summary}, [0.25, 0.5], {})  # type: ignore[dict-item]


def shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=160)
    with Display(console, "run 2/36: private", steps=2) as display:
        listener = display.listener()
        listener.on_step(Step("connect", "connecting"), None)
        listener.on_progress(10, 40)
        listener.on_progress(1_010, 2_500)
        listener.on_step(Step("drive", "driving", drives=True), 5.0)
        listener.on_row(row())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_the_step_and_the_last_second() -> None:
    told = shown(terminal=True)
    assert "run 2/36: private" in told
    assert "2/2 driving" in told
    assert "500 offered/s · 499 acked/s · 498 delivered/s · delivery p99 12.5 ms · 1,000 connected" in told
    assert "generator 50%" in told


def test_a_log_gets_a_line_for_each_step_and_each_thousand() -> None:
    assert shown(terminal=False).split("\n")[:3] == [
        "run 2/36: private 1/2 connecting",
        "run 2/36: private 1/2 connecting: 1,010 of 2,500",
        "run 2/36: private 2/2 driving",
    ]
