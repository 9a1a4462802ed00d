"""People are dealt to processes whole groups at a time."""

from im_bench.accounts import made_up
from im_bench.adapters.abstract import Endpoint
from im_bench.run.plan import Plan
from im_bench.run.target import Target
from im_bench.scenarios.private import PrivateScenario, PrivateSettings


def test_pairs_stay_together_and_everybody_has_a_place() -> None:
    settings = PrivateSettings(pairs=5)
    target = Target(Endpoint("http://127.0.0.1:1"))
    plan = Plan(PrivateScenario, settings, target, made_up(10), workers=3)
    assignments = plan.assignments()
    assert [[person.index for person in each.people] for each in assignments] == [[0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]
    assert {each.run for each in assignments} == {assignments[0].run}
    assert [(each.part.index, each.part.count) for each in assignments] == [(0, 3), (1, 3), (2, 3)]
