"""Every round takes every value; what no figure can be believed of is in no line."""

import json
from pathlib import Path

import pytest

from im_bench.capacity.compare import spreads
from im_bench.capacity.read_runs import read_runs
from im_bench.capacity.spread import Spread
from im_bench.capacity.sweep import Axis, Sweep
from im_bench.report.verdict import Verdict
from tests.unit.im_bench.capacity.conftest import SUMMARY, ran, swept


def test_each_round_takes_all_values_before_the_next_one_begins() -> None:
    sweep = Sweep(Axis("members", [2, 10]), rounds=2)
    assert list(sweep.plan()) == [(0, 2), (0, 10), (1, 2), (1, 10)]


def test_costs_are_of_each_thing_done_and_their_sum_first() -> None:
    costs = swept((10, ran(1.5)), (10, ran(2.5)), rounds=2).costs()
    assert list(costs) == ["sum", "gateway-a", "redis"]
    assert costs["gateway-a"][10].values == pytest.approx((1500, 2500)), "1,000 were acked"
    assert costs["sum"][10].median == pytest.approx(2500)
    delivered = swept((10, ran(1.8))).costs("delivered")
    assert delivered["gateway-a"][10].median == pytest.approx(200), "9,000 were delivered"


def test_a_single_process_is_not_told_twice_and_an_unknown_one_not_guessed() -> None:
    alone = {"cluster": {"cpu_s": 1.0, "rss_mib": 1.0}}
    assert list(swept((10, ran(0, resources=alone))).costs()) == ["cluster"]
    assert swept((10, ran(0, resources=None))).costs() == {}
    assert swept((10, ran(1, acked_per_s=None))).costs() == {}, "nothing was done"


def test_latency_rates_and_memory_stand_by_value() -> None:
    sweep = swept((2, ran(1)), (10, ran(1, latency_ms={"delivery": {**SUMMARY, "p99": 20.0}})))
    assert (sweep.latency, sweep.latencies()["p99"]) == ("delivery", {2: Spread((9.0,)), 10: Spread((20.0,))})
    assert sweep.rates()["delivered"][10].median == 900
    assert sweep.memory()["redis"][2].median == 10


def test_what_only_a_scenario_measures_has_a_line_unless_it_is_the_axis() -> None:
    measured = {"members": 2.0, "deliveries_per_gateway_cpu_s": 90_000.0}
    assert list(swept((2, ran(1, measured=measured))).measured()) == ["deliveries_per_gateway_cpu_s"]


@pytest.mark.parametrize("verdict", [Verdict.INVALID, Verdict.INCORRECT])
def test_what_cannot_be_believed_is_told_and_in_no_line(verdict: Verdict) -> None:
    sweep = swept((2, ran(1)), (10, ran(50, verdict=verdict)))
    assert list(sweep.costs()["gateway-a"]) == [2]
    assert sweep.verdicts(10) == [verdict]
    assert swept((10, ran(1, verdict=Verdict.TARGET_MISSED))).rates(), "that says something of the server"


def test_its_file_is_read_value_by_value(tmp_path: Path) -> None:
    sweep = swept((2, ran(1, settings={"duration": 10.0, "mode": "cluster", "members": 2})), (10, ran(3)))
    file = tmp_path / "sweep.json"
    file.write_text(json.dumps(sweep.as_json({"cores": 2}, end="all values were run")), encoding="utf-8")
    told = spreads(read_runs(file))
    assert list(told) == ["groups, members 2, cluster", "groups, members 10, cluster"]
    assert told["groups, members 10, cluster"]["gateway-a CPU, ms each"].median == pytest.approx(3)
