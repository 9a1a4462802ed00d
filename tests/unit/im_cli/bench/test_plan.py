"""What a plan prints."""

import pytest

from im_cli.bench.plan import amount, plan
from im_cli.exit_code import CommandError, ExitCode


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (0.0001, "< 0.1"), (0.1, "0.1"), (2.34, "2.3"), (23.1, "23"), (400_000, "400,000")]
)
def test_a_figure_that_is_not_0_never_looks_like_it(value: float, said: str) -> None:
    assert amount(value) == said


def test_what_is_asked_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    plan(users=10_000)
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "10,000 users x 40 messages each = 400,000 messages a day (23 a second at the peak)"
    assert others[0].startswith("at the busiest time 2,000 connections")
    assert "ends first" not in others[-1]
    plan(users=100_000_000)
    assert "it is what ends first" in capsys.readouterr().out.splitlines()[-1]


def test_nobody_reads_days_that_are_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="--hot-days 50") as caught:
        plan(users=1, keep_days=5, hot_days=50)
    assert caught.value.code is ExitCode.USAGE
    plan(users=1, keep_days=5)
    assert "after 5 days" in capsys.readouterr().out
