"""What was measured is in the file at once, and no file takes another's place."""

import json
import time
from pathlib import Path

from im_bench.capacity.read_runs import read_runs
from im_bench.report.result import Result
from im_bench.report.result_set import Failure, ResultSet, free_path

MACHINE = {"cpu_model": "a", "cores": 2, "kernel": "6", "commit": "abc", "version": "1"}


def result(acked_per_s: float) -> Result:
    return Result(
        "private", {"mode": "embedded"}, environment=MACHINE, acked_per_s=acked_per_s, histograms={"ack": "x"}
    )


def test_every_run_is_in_the_file_as_soon_as_it_is_added(tmp_path: Path) -> None:
    kept = ResultSet(tmp_path / "new" / "a.json", MACHINE, repeats=2)
    kept.add(result(10))
    assert [run["acked_per_s"] for run in read_runs(kept.path)] == [10]
    kept.fail(Failure("groups, embedded", 7, "no server"))
    kept.add(result(12))
    assert [run["acked_per_s"] for run in read_runs(kept.path)] == [10, 12]
    told = json.loads(kept.path.read_text(encoding="utf-8"))
    assert told["failures"] == [{"name": "groups, embedded", "exit_code": 7, "reason": "no server"}]
    assert (told["environment"], told["repeats"], told["runs"][0]["histograms"]) == (MACHINE, 2, {})
    assert [path.name for path in kept.path.parent.iterdir()] == ["a.json"], "nothing half-written lies about"


def test_a_second_set_of_the_same_day_and_commit_gets_a_name_of_its_own(tmp_path: Path) -> None:
    first = free_path(tmp_path, MACHINE)
    assert first.name == f"{time.strftime('%Y-%m-%d')}-abc.json"
    first.touch()
    second = free_path(tmp_path, MACHINE)
    second.touch()
    assert (second.stem, free_path(tmp_path, MACHINE).stem) == (f"{first.stem}-2", f"{first.stem}-3")
    assert free_path(tmp_path, {**MACHINE, "commit": None}).stem.endswith("-1")
