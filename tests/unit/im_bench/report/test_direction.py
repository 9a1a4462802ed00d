"""A figure's direction is the same to an expectation and to a comparison."""

from im_bench.report.direction import HIGHEST, MORE_IS_BETTER, RATES, more_is_better
from im_bench.scenarios.registry import SCENARIOS


def test_rates_and_what_a_processor_second_buys_are_better_when_larger() -> None:
    assert all(more_is_better(rate) for rate in (*RATES, "acked/s", HIGHEST, "deliveries_per_gateway_cpu_s", "back"))
    assert not any(more_is_better(name) for name in ("delivery p99, ms", "lost", "back_all_s", "gateway-a memory, MiB"))


def test_no_name_stands_for_nothing() -> None:
    figures = {figure for scenario in SCENARIOS for figure in scenario.figures}
    assert figures | set(RATES) | {f"{rate}/s" for rate in RATES} | {HIGHEST} >= MORE_IS_BETTER
