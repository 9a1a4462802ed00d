"""What a log is told of long work."""

import io

import pytest
from rich.console import Console

from im_cli.bench.milestones import Milestones


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_gets_a_line_a_thousand(terminal: bool) -> None:
    """Whatever the steps in which it comes; neither the whole nor a short work is told, and a terminal has its bar."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=160)
    milestones = Milestones(console, "making guest accounts")
    for done in (1, 999, 1_000, 1_001, 3_200, 3_999, 4_000, 5_000):
        milestones.reached(done, 5_000)
    Milestones(console, "making bots").reached(1_000, 1_000)
    assert isinstance(console.file, io.StringIO)
    lines = [f"making guest accounts: {done} of 5,000" for done in ("1,000", "3,200", "4,000")]
    assert console.file.getvalue().splitlines() == ([] if terminal else lines)
