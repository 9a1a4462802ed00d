"""What `im bench` wrote is read, and what it did not write is told."""

import json
from pathlib import Path

import pytest

from im_bench.capacity.compare import Change, compare
from im_bench.capacity.read_runs import UnreadableError, read_runs
from tests.unit.im_bench.capacity.conftest import run


def test_a_file_a_set_and_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(run(1, 1)), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps({"runs": [run(2, 1), run(3, 1)]}), encoding="utf-8")
    assert [len(read_runs(path)) for path in (tmp_path / "a.json", tmp_path / "b.json", tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no result of `im bench`: it is no JSON"),
        ("[]", "is JSON, but no result of `im bench`"),
        ("{}", "is JSON, but no result of `im bench`"),
        ('{"scenario": "x"}', "is JSON, but no result of `im bench`"),
        ('{"kind": "sweep", "over": "members", "runs": [{}]}', "is JSON, but no result of `im bench`"),
        ('{"kind": "search"}', "is JSON, but no result of `im bench`"),
        ('{"kind": "search", "highest_per_s": null}', "no rate held"),
        ('{"runs": []}', "holds no run"),
    ],
)
def test_whatever_is_no_result_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"x\.json") as caught:
        read_runs(path)
    assert said in str(caught.value)
    with pytest.raises(UnreadableError, match="holds no result"):
        read_runs(tmp_path)


def test_what_a_folder_has_beside_results_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(run(1, 1)), encoding="utf-8")
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    told: list[str] = []
    assert len(read_runs(tmp_path, on_skip=told.append)) == 1
    assert told == [f"{tmp_path / 'b.json'} is JSON, but no result of `im bench`"]


def test_of_a_search_the_highest_rate_is_compared(tmp_path: Path) -> None:
    for number, highest in enumerate((100, 110, 200, 220)):
        step = {"rate": 400, "result": run(1, 1)}
        told = {
            "kind": "search", "scenario": "private", "p99_ms": 200.0, "highest_per_s": highest, "steps": [step],
            "broke_per_s": None if number == 3 else 2 * highest,
            "environment": {"cpu_model": "a", "cores": 2, "kernel": "6"},
        }  # fmt: skip
        (tmp_path / f"{number}.json").write_text(json.dumps(told), encoding="utf-8")
    runs = read_runs(tmp_path)
    (comparison,) = compare(runs[:2], runs[2:])
    assert comparison.name == "private, search with p99 at most 200 ms, embedded"
    assert list(comparison.remarks) == ["after: a search ended before a rate broke: the highest may be higher"]
    assert [(figure.name, figure.change) for figure in comparison.figures] == [("highest/s", Change.BETTER)]
    assert compare(runs, [run(1, 1)]) == [], "a run at one rate is another thing"
