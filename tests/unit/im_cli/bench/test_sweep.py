"""What a sweep had measured is told and written, however it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from im_bench.report.result import Result
from im_bench.scenarios.groups import GroupsScenario, GroupsSettings
from im_cli.bench import sweep as module
from im_cli.bench.measure import Flags
from im_cli.exit_code import CommandError, ExitCode
from tests.unit.im_cli.bench.conftest import CRASHED, FAILED, STOPPED, TWICE, script

RAN = Result("groups", {"mode": "embedded", "duration": 1.0}, acked_per_s=10.0, delivered_per_s=10.0)


def swept(outcomes: list[Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The file of a sweep whose runs end so; what it raises is raised."""
    script(module, outcomes, monkeypatch)
    flags = Flags(users_file=folder / "users.json", json_file=folder / "out.json", html_file=folder / "out.html")
    try:
        module.sweep(GroupsScenario, GroupsSettings(), flags, over="members=2,3", rounds=1)
    finally:
        assert (folder / "out.html").exists() is (folder / "out.json").exists()
    told: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return told


def test_a_setting_is_not_both_varied_and_fixed(tmp_path: Path) -> None:
    flags = Flags(named_settings=frozenset({"rate", "members"}), json_file=tmp_path / "out.json")
    with pytest.raises(CommandError, match="--members means nothing") as caught:
        module.sweep(GroupsScenario, GroupsSettings(), flags, over="members=2,3", rounds=1)
    assert caught.value.code is ExitCode.USAGE


def test_a_whole_one_has_every_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = swept([RAN, RAN], tmp_path, monkeypatch)
    assert (len(told["runs"]), told["end"]) == (2, "all values were run")


@pytest.mark.parametrize("how", [STOPPED, KeyboardInterrupt()], ids=["within a run", "between two"])
def test_one_that_was_ended_by_hand_keeps_what_it_had(
    how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = swept([RAN, how], tmp_path, monkeypatch)
    assert (len(told["runs"]), "by hand" in told["end"]) == (1, True)


@pytest.mark.parametrize(("error", "said"), [(TWICE, "by hand"), (FAILED, "a run failed"), (CRASHED, "a run failed")])
def test_one_that_failed_keeps_what_it_had_and_says_why(
    error: CommandError, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError) as caught:
        swept([RAN, error], tmp_path, monkeypatch)
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (caught.value, len(told["runs"]), said in told["end"]) == (error, 1, True)


@pytest.mark.parametrize("how", [STOPPED, KeyboardInterrupt(), TWICE, FAILED])
def test_one_without_a_run_says_so_and_writes_nothing(
    how: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError):
        swept([how], tmp_path, monkeypatch)
    assert list(tmp_path.iterdir()) == []
