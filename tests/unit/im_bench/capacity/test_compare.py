"""A change is one only where the ranges lie apart."""

from typing import Any

from im_bench.capacity.compare import Change, compare, on_one_side, spreads
from tests.unit.im_bench.capacity.conftest import run


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
