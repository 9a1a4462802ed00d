"""What `--fail-on worse` makes of a comparison."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from im_bench.report.verdict import Verdict
from im_cli.bench.compare import FailOn, compare_results
from im_cli.exit_code import CommandError, ExitCode


def run(acked: float, *, verdict: str = "GOOD", cpu_model: str = "a") -> dict[str, Any]:
    return {
        "scenario": "private", "settings": {"mode": "embedded", "duration": 10.0}, "verdict": verdict,
        "environment": {"cpu_model": cpu_model, "cores": 2, "kernel": "6"}, "correctness": {"lost": 0},
        "acked_per_s": acked, "delivered_per_s": None, "latency_ms": {}, "resources": None, "measured": {},
    }  # fmt: skip


def code(before: list[dict[str, Any]], after: list[dict[str, Any]], folder: Path) -> int:
    """How the comparison of these runs ends."""
    files = folder / "before.json", folder / "after.json"
    for file, runs in zip(files, (before, after), strict=True):
        file.write_text(json.dumps({"runs": runs}), encoding="utf-8")
    compare_results(*files)  # without the flag nothing fails
    try:
        compare_results(*files, fail_on=FailOn.WORSE)
    except typer.Exit as end:
        return end.exit_code
    return 0


@pytest.mark.parametrize(
    ("before", "after", "verdict", "said"),
    [
        ([run(9), run(10)], [run(10), run(11)], Verdict.GOOD, ""),
        ([run(9), run(10)], [run(11), run(12)], Verdict.GOOD, ""),
        ([run(9), run(10)], [run(7), run(8)], Verdict.TARGET_MISSED, "failed: private, embedded is worse in acked/s"),
        ([run(9), run(10)], [run(7), run(8, verdict="INVALID")], Verdict.INVALID, "INVALID is the verdict of 1 run"),
        ([run(9, verdict="INCORRECT")], [run(9, verdict="INVALID")], Verdict.INCORRECT, "INCORRECT is the verdict of"),
        ([run(9), run(10)], [run(1, cpu_model="b"), run(2, cpu_model="b")], Verdict.GOOD, "on another machine"),
        ([run(9)], [run(1)], Verdict.GOOD, "one run on a side"),
    ],
)
def test_it_fails_where_it_can_tell_and_says_why(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    verdict: Verdict,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert code(before, after, tmp_path) == verdict
    assert said in capsys.readouterr().out


def test_files_of_something_else_are_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CommandError, match="is JSON, but no result of `im bench`") as caught:
        compare_results(tmp_path / "x.json", tmp_path / "x.json")
    assert caught.value.code is ExitCode.USAGE
