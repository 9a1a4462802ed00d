"""What a storm's figures say of all who were cut, not of those who came back alone."""

import pytest

from im_bench.report.record import Record, StepRecord
from im_bench.report.result import Result
from im_bench.report.verdict import Verdict
from im_bench.scenarios.reconnect import ReconnectScenario, ReconnectSettings


def conclude(back: list[float], *, connections: int) -> Result:
    record = Record(steps=[StepRecord("storm", 0.0, before={}, returned=[back])])
    result = Result(scenario="reconnect", settings={}, environment={}, began_time=0)
    ReconnectScenario.conclude(ReconnectSettings(connections=connections), record, result)
    return result


@pytest.mark.parametrize(
    ("back", "measured"),
    [
        ([1.0], {"back": 1.0}),
        ([float(second) for second in range(1, 20)], {"back": 19.0, "back_95_s": 19.0}),
        ([float(second) for second in range(1, 21)], {"back": 20.0, "back_95_s": 19.0, "back_all_s": 20.0}),
    ],
)
def test_a_share_that_is_not_back_has_no_time(back: list[float], measured: dict[str, float]) -> None:
    result = conclude(back, connections=20)
    assert result.measured == measured
    assert result.verdict is (Verdict.GOOD if len(back) == 20 else Verdict.TARGET_MISSED)
