"""All scenarios."""

from typing import Any, Final

from im_bench.scenarios.abstract import Scenario
from im_bench.scenarios.connect import ConnectScenario
from im_bench.scenarios.groups import GroupsScenario
from im_bench.scenarios.history import HistoryScenario
from im_bench.scenarios.idle import IdleScenario
from im_bench.scenarios.large_group import LargeGroupScenario
from im_bench.scenarios.login import LoginScenario
from im_bench.scenarios.mixed import MixedScenario
from im_bench.scenarios.offline import OfflineScenario
from im_bench.scenarios.private import PrivateScenario
from im_bench.scenarios.reconnect import ReconnectScenario
from im_bench.scenarios.slow_reader import SlowReaderScenario
from im_bench.scenarios.world import WorldScenario

SCENARIOS: Final[tuple[type[Scenario[Any]], ...]] = (
    PrivateScenario,
    GroupsScenario,
    LargeGroupScenario,
    WorldScenario,
    MixedScenario,
    ConnectScenario,
    ReconnectScenario,
    OfflineScenario,
    SlowReaderScenario,
    IdleScenario,
    HistoryScenario,
    LoginScenario,
)


def find_scenario(name: str) -> type[Scenario[Any]]:
    """The scenario of this name."""
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
