"""Each planted bug turns its proof red; without it the same proof is green (test_scenarios.py, test_crash.py)."""

from pathlib import Path

import pytest

from tests.cluster.test_scenarios import Scenario
from tests.harness import checkers, planted, scenarios
from tests.harness.crash import crash_run

ROUNDS = 5
"""The bugs are races: about one round in a hundred runs past a bug and does no harm."""


@pytest.mark.parametrize(
    ("bug", "scenario"),
    [
        ("outbox_row_dropped_before_fan_out", scenarios.lost_fan_out),
        ("range_confirmed_before_its_effect", scenarios.lost_fan_out),
        ("heads_read_before_the_route_is_written", scenarios.message_during_hello),
        ("routes_read_before_the_commit", scenarios.connect_during_commit),
        ("removal_lags_in_small_groups", scenarios.removal_from_a_small_group),
        ("removal_lags_in_large_groups", scenarios.removal_from_a_large_group),
        ("retry_answered_with_slow_mode", scenarios.retry_under_slow_mode),
        ("mark_read_not_clamped", scenarios.read_beyond_the_window),
    ],
)
async def test_a_planted_bug_turns_its_proof_red(bug: str, scenario: Scenario, tmp_path: Path) -> None:
    with planted.BUGS[bug]():
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            folder.mkdir()
            if await scenario(folder):
                return
    pytest.fail(f"{ROUNDS} rounds were green")


@pytest.mark.timeout(120)
async def test_an_ack_before_the_commit_turns_the_crash_run_red(tmp_path: Path) -> None:
    done = await crash_run(
        tmp_path,
        kills=3,
        senders=6,
        rate_per_s=200,
        load_s=(0.5, 0.5),
        patience_s=0,
        seed=1,
        program=("tests.harness.planted", "ack_before_commit"),
    )
    assert checkers.lost(done.history.happenings, done.stored) != []
