"""Verdicts are the documented exit codes."""

from im_bench.report.verdict import Verdict


def test_exit_codes_are_the_documented_ones() -> None:
    assert {verdict.name: int(verdict) for verdict in Verdict} == {
        "GOOD": 0, "USAGE": 1, "INCORRECT": 2, "INVALID": 3, "TARGET_MISSED": 4,
    }  # fmt: skip


def test_the_heavier_one_counts() -> None:
    order = sorted(
        (Verdict.INVALID, Verdict.INCORRECT, Verdict.GOOD, Verdict.TARGET_MISSED), key=lambda one: one.weight
    )
    assert [verdict.name for verdict in order] == ["GOOD", "TARGET_MISSED", "INVALID", "INCORRECT"]
