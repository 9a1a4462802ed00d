"""A change is one only where the ranges lie apart."""

import json
from pathlib import Path
from typing import Any

import pytest

from im_bench.capacity.compare import Change, UnreadableError, compare, on_one_side, read_runs, spreads


def run(acked: float, p99: float, **changed: Any) -> dict[str, Any]:
    return {
        "scenario": "private", "settings": {"mode": "embedded", "rate": 500.0, "duration": 10.0, "url": "http://x"},
        "environment": {"cpu_model": "a", "cores": 2, "kernel": "6"}, "verdict": "GOOD", "correctness": {"lost": 0},
        "acked_per_s": acked, "delivered_per_s": None, "latency_ms": {"delivery": {"p50": 1.0, "p99": p99}},
        "resources": {"cluster": {"cpu_s": 2.0, "rss_mib": 100.0}}, "measured": {}, **changed,
    }  # fmt: skip


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, Change]:
    (comparison,) = compare(before, after)
    return {figure.name: figure.change for figure in comparison.figures}


def test_ranges_that_overlap_are_noise_and_others_better_or_worse() -> None:
    before = [run(100, 10), run(110, 12)]
    told = changes(before, [run(120, 20), run(130, 22)])
    assert told["acked/s"] is Change.BETTER
    assert told["delivery p99, ms"] is Change.WORSE
    assert told["delivery p50, ms"] is Change.NOISE
    assert changes(before, [run(109, 5), run(130, 6)])["acked/s"] is Change.NOISE
    assert changes(before, [run(90, 5), run(95, 6)])["delivery p99, ms"] is Change.BETTER
    assert changes(before, [run(90, 5), run(95, 6)])["acked/s"] is Change.WORSE


def test_one_run_each_tells_nothing_of_the_noise() -> None:
    assert changes([run(100, 10)], [run(200, 10)])["acked/s"] is Change.UNKNOWN


def test_medians_ranges_and_ratios_are_told() -> None:
    (comparison,) = compare([run(100, 1), run(300, 1), run(200, 1)], [run(400, 1)])
    acked = next(figure for figure in comparison.figures if figure.name == "acked/s")
    assert str(acked.before) == "200 [100 to 300]"
    assert acked.ratio == 2
    assert comparison.runs == (3, 1)


def test_an_open_and_a_closed_loop_are_two_things() -> None:
    closed = run(900, 50)
    closed["settings"] = {**closed["settings"], "closed": True}
    both = [run(100, 1), closed]
    assert [comparison.name for comparison in compare(both, both)] == [
        "private, embedded",
        "private, closed loop, embedded",
    ]
    assert str(spreads([*both, run(200, 1)])["private, embedded"]["acked/s"]) == "150 [100 to 200]"


def test_what_a_second_of_the_gateway_buys_is_better_the_more_it_is() -> None:
    before, after = ([run(1, 1, measured={"deliveries_per_gateway_cpu_s": each})] * 2 for each in (100.0, 200.0))
    assert changes(before, after)["deliveries_per_gateway_cpu_s"] is Change.BETTER


def test_what_cannot_be_compared_is_said() -> None:
    other = run(1, 1, environment={"cpu_model": "b", "cores": 2, "kernel": "6"}, verdict="INVALID")
    other["settings"] = {**other["settings"], "rate": 600.0, "url": "http://y"}
    (comparison,) = compare([run(1, 1)], [other])
    assert [remark.split(":")[0] for remark in comparison.remarks] == ["another machine", "other settings", "after"]
    assert compare([run(1, 1)], [run(1, 1, scenario="groups")]) == []


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


def test_on_another_machine_a_difference_is_neither_better_nor_worse() -> None:
    there = {"environment": {"cpu_model": "b", "cores": 2, "kernel": "6"}}
    told = changes([run(100, 10), run(110, 12)], [run(10, 99, **there), run(11, 99, **there)])
    assert told["acked/s"] is told["delivery p99, ms"] is Change.DIFFERS
    assert told["delivery p50, ms"] is Change.NOISE


def test_what_one_side_lacks_is_told() -> None:
    groups = run(1, 1, scenario="groups")
    assert list(on_one_side([run(1, 1)], [groups])) == [
        "only before: private, embedded",
        "only after: groups, embedded",
    ]
