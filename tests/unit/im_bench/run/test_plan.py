"""People are dealt to processes whole groups at a time."""

from im_bench.accounts import made_up
from im_bench.adapters.abstract import Endpoint
from im_bench.run.plan import Plan
from im_bench.run.target import Target
from im_bench.scenarios.large_group import LargeGroupScenario, LargeGroupSettings
from im_bench.scenarios.private import PrivateScenario, PrivateSettings


def test_pairs_stay_together_and_everybody_has_a_place() -> None:
    settings = PrivateSettings(pairs=5)
    target = Target(Endpoint("http://127.0.0.1:1"))
    plan = Plan(PrivateScenario, settings, target, made_up(10), workers=3)
    assignments = plan.assignments()
    assert [[person.index for person in each.people] for each in assignments] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert {each.run for each in assignments} == {assignments[0].run}
    assert [(each.part.index, each.part.count) for each in assignments] == [(0, 3), (1, 3), (2, 3)]


def test_every_process_has_who_writes_and_who_is_online() -> None:
    """Shares of fewer people lie within shares of more, however many processes there are."""
    settings = LargeGroupSettings(members=11, online=7, senders=4)
    plan = Plan(LargeGroupScenario, settings, Target(Endpoint("http://127.0.0.1:1")), made_up(11), workers=4)
    for each in plan.assignments():
        writers, online = each.part.share(settings.senders), each.part.share(LargeGroupScenario.online(settings))
        assert 1 <= writers <= online <= len(each.people)
