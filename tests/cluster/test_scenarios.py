"""Single promises on a real cluster in this process, each with one step held or spoilt."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.harness import scenarios

Scenario = Callable[[Path], Awaitable[list[str]]]


@pytest.mark.parametrize(
    "scenario",
    [
        scenarios.lost_fan_out,
        scenarios.message_during_hello,
        scenarios.connect_during_commit,
        scenarios.removal_from_a_small_group,
        scenarios.removal_from_a_large_group,
        scenarios.retry_under_slow_mode,
        scenarios.read_beyond_the_window,
    ],
    ids=lambda scenario: scenario.__name__,
)
async def test_the_promise_holds(scenario: Scenario, tmp_path: Path) -> None:
    assert await scenario(tmp_path) == []
