"""Scenarios explain themselves."""

import dataclasses
import inspect
from typing import Any, get_args, get_type_hints

import pytest

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.option import Option
from im_bench.scenarios.registry import SCENARIOS, find_scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_says_what_it_does_and_what_it_reports(scenario: type[Scenario[Any]]) -> None:
    assert find_scenario(scenario.name) is scenario
    told = inspect.getdoc(scenario)
    assert told is not None
    does, reports = told.split("\n\n")[:2]
    assert does.endswith(".")
    assert reports.startswith("Reports ")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_settings_field_has_a_default_and_a_help_and_each_step_a_method(scenario: type[Scenario[Any]]) -> None:
    hints = get_type_hints(scenario.settings_type, include_extras=True)
    for field in dataclasses.fields(scenario.settings_type):
        option = get_args(hints[field.name])[1]
        assert isinstance(option, Option)
        assert option.help.endswith(".")
        assert field.default is not dataclasses.MISSING
    for step in scenario.steps:
        assert inspect.iscoroutinefunction(getattr(scenario, step.name))
    assert scenario.problem(scenario.settings_type()) is None
    assert scenario.people(scenario.settings_type()).count > 0


def test_names_differ() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
