"""What a search had measured is told and written, however it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.private import PrivateScenario, PrivateSettings
from im_cli.bench import search as module
from im_cli.bench.measure import Flags
from im_cli.exit_code import CommandError
from tests.unit.im_cli.bench.conftest import CRASHED, FAILED, STOPPED, TWICE, script

LATENCY = {"p50": 1.0, "p90": 2.0, "p99": 3.0, "p999": 4.0, "max": 5.0}
HELD = Result("private", {"mode": "embedded", "duration": 1.0}, offered_per_s=10.0, acked_per_s=10.0)
HELD.latency_ms = {"delivery": LATENCY}  # type: ignore[dict-item]
WRONG = Result("private", {"mode": "embedded"}, verdict=Verdict.INCORRECT, reasons=["lost"])


def searched(outcomes: list[Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The file of a search up to 20/s whose runs end so; what it raises is raised behind it."""
    script(module, outcomes, monkeypatch)
    flags = Flags(json_file=folder / "out.json", html_file=folder / "out.html")
    try:
        module.search(PrivateScenario, PrivateSettings(), flags, p99="200ms", least=10.0, most=20.0, precision=0.1)
    finally:
        assert (folder / "out.html").exists() is (folder / "out.json").exists()
    return file(folder)


def file(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return told


def test_it_ends_at_the_highest_rate_it_may_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = searched([HELD, HELD], tmp_path, monkeypatch)
    assert (told["highest_per_s"], told["broke_per_s"]) == (20.0, None)
    assert told["end"] == "20/s is as high as was looked"
    assert "private over rate" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_a_rate_at_which_something_was_lost_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = searched([HELD, WRONG, WRONG, *[HELD] * 3], tmp_path, monkeypatch)
    assert told["broke_per_s"] == 20.0
    assert [step["reason"] for step in told["steps"][:3]] == ["", "lost", "lost"]


@pytest.mark.parametrize("how", [STOPPED, KeyboardInterrupt()], ids=["within a run", "between two"])
def test_one_that_was_ended_by_hand_keeps_its_steps(how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = searched([HELD, how], tmp_path, monkeypatch)
    assert (len(told["steps"]), told["highest_per_s"], told["end"]) == (1, 10.0, "stopped by hand")


@pytest.mark.parametrize("how", [TWICE, FAILED, CRASHED], ids=["interrupted", "failed", "crashed"])
def test_one_that_could_not_go_on_keeps_its_steps_and_says_so(
    how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=how.message):
        searched([HELD, how], tmp_path, monkeypatch)
    assert len(file(tmp_path)["steps"]) == 1


def test_one_that_never_began_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="no server"):
        searched([FAILED], tmp_path, monkeypatch)
    assert not (tmp_path / "out.json").exists()


def test_no_rate_that_holds_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(typer.Exit) as ended:
        searched([WRONG] * 20, tmp_path, monkeypatch)
    assert ended.value.exit_code == Verdict.TARGET_MISSED
    assert file(tmp_path)["highest_per_s"] is None
