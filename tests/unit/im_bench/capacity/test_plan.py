"""The plan is arithmetic on the unit costs, and grows with what is asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from im_bench.capacity.plan import CapacityPlan, Demand, make_plan, read_costs

SMALL = Demand(
    users=1_000, messages_per_day=50, online=0.2, peak=5, text_bytes=100, group_share=0, group_size=20,
    keep_days=365, hot_days=7, busy=0.5,
)  # fmt: skip


def counts(made: CapacityPlan) -> dict[str, int]:
    return {need.name: need.count for need in made.needs}


def test_a_small_one_has_two_of_each_service() -> None:
    made = make_plan(SMALL, read_costs(None))
    assert {counts(made)[name] for name in ("gateway", "logic", "repo", "task")} == {2}
    assert made.connections == 200
    assert made.messages_per_s == pytest.approx(1_000 * 50 / 86_400 * 5)
    assert made.disk_gib == pytest.approx(1_000 * 50 * 365 * 530 / 2**30)


def test_gateways_grow_with_connections_and_services_with_messages() -> None:
    costs = read_costs(None)
    assert counts(make_plan(replace(SMALL, users=200_000, messages_per_day=0), costs))["gateway"] == 4
    busy = make_plan(replace(SMALL, users=200_000, messages_per_day=400), costs)
    logic = next(need for need in busy.needs if need.name == "logic")
    assert logic.cores == pytest.approx(busy.messages_per_s * costs["cpu_ms_per_message"]["logic"] / 1000, abs=0.01)
    assert logic.count == -(-logic.cores // 0.5)
    assert logic.why == "its CPU"


def test_groups_are_delivered_to_those_who_are_online() -> None:
    costs = read_costs(None)
    alone, together = make_plan(SMALL, costs), make_plan(replace(SMALL, group_share=1), costs)
    assert together.deliveries_per_s == pytest.approx(19 * alone.deliveries_per_s)
    assert together.disk_gib == alone.disk_gib, "stored once"


def test_costs_of_ones_own_must_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text("[cpu_ms_per_message]\ngateway = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="logic must be a number"):
        read_costs(path)
    with pytest.raises(ValueError, match="No such file"):
        read_costs(tmp_path / "none.toml")
