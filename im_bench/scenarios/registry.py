"""All scenarios."""

from typing import Any, Final

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.connect import ConnectScenario
from im_bench.scenarios.idle import IdleScenario
from im_bench.scenarios.private import PrivateScenario

SCENARIOS: Final[tuple[type[Scenario[Any]], ...]] = (PrivateScenario, ConnectScenario, IdleScenario)


def find_scenario(name: str) -> type[Scenario[Any]]:
    """The scenario of this name."""
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
