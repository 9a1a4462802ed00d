"""What a search has so far is its steps, in a file and as figures over the rate."""

from im_bench.capacity.search import Bounds, Search
from im_bench.capacity.searched import Searched
from tests.unit.im_bench.capacity.conftest import ran


def test_each_step_is_told_to_the_rule_and_kept() -> None:
    kept = Searched(Search(Bounds(100, 200, 0.1)), "groups", 200.0)
    for rate, reason in ((100.0, ""), (200.0, "too late"), (200.0, "too late")):
        assert kept.rule.next_rate() == rate
        kept.add(rate, ran(1.0), reason)
    told = kept.as_json({"cores": 2}, end="stopped")
    assert (told["kind"], told["highest_per_s"], told["broke_per_s"], told["end"]) == (
        "search",
        100.0,
        200.0,
        "stopped",
    )
    assert [(step["rate"], step["sustained"]) for step in told["steps"]] == [
        (100.0, True),
        (200.0, False),
        (200.0, False),
    ]
    sweep = kept.as_sweep()
    assert (sweep.axis.setting, list(sweep.axis.values), len(sweep.runs)) == ("rate", [100.0, 200.0], 3)
