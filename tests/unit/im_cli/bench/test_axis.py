"""What a sweep is to vary, as people write it."""

import pytest

from im_bench.scenarios.groups import GroupsSettings
from im_bench.scenarios.large_group import LargeGroupSettings
from im_bench.scenarios.registry import SCENARIOS
from im_cli.bench.axis import numeric_settings, parse_axis


def test_values_are_taken_in_their_own_kind_and_order() -> None:
    axis = parse_axis("members=10, 2,500", GroupsSettings)
    assert (axis.setting, axis.values, {type(value) for value in axis.values}) == ("members", [2, 10, 500], {int})
    assert parse_axis("rate=10,2.5", GroupsSettings).values == [2.5, 10.0]


def test_a_setting_goes_by_its_flag_and_lengths_of_time_have_units() -> None:
    axis = parse_axis("--warm-up=500ms,2s", GroupsSettings)
    assert (axis.setting, axis.values) == ("warm_up", [0.5, 2.0])
    assert parse_axis("rest=1,2", LargeGroupSettings).setting == "rest"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("members", "write NAME=VALUE,VALUE with one of rate, "),
        ("colour=1,2", "with one of"),
        ("seed=1,2", "with one of"),
        ("closed=0,1", "with one of"),
        ("members=10", "2 values or more"),
        ("members=10,10,20", "each once"),
        ("members=a,b", "'a' is not a whole number"),
        ("members=2.5,3", "'2.5' is not a whole number"),
        ("rate=x,1", "'x' is not a number"),
        ("rate=nan,1", "'nan' is not a number"),
        ("rate=1,inf", "'inf' is not a number"),
        ("warm_up=1h,2", "'1h' is not a length of time"),
        ("members=1,10", "1 is not at least 2 and at most 500"),
        ("members=10,501", "501 is not at least 2 and at most 500"),
        ("rate=0,1", "0 is not at least 0.01"),
    ],
)
def test_what_cannot_be_varied_is_said(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"--over ") as caught:
        parse_axis(written, GroupsSettings)
    assert said in str(caught.value)


def test_every_scenario_has_something_to_vary() -> None:
    assert all(numeric_settings(scenario.settings_type) for scenario in SCENARIOS)
