"""The plan is arithmetic on the unit costs, and grows with what is asked."""

from dataclasses import replace
from importlib.resources import files
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
    with pytest.raises(ValueError, match=r"costs\.toml: cpu_ms_per_message\.logic must be a number"):
        read_costs(path)
    with pytest.raises(ValueError, match="No such file"):
        read_costs(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("was", "is_now", "said"),
    [
        ("logic = 0.42", "logic = inf", "cpu_ms_per_message.logic must be a number from 0 to 1,000,000,000"),
        ("logic = 0.42", "logic = nan", "cpu_ms_per_message.logic must be a number from 0 to 1,000,000,000"),
        ("logic = 0.42", "logic = 1e300", "cpu_ms_per_message.logic must be a number from 0 to 1,000,000,000"),
        ("logic = 0.42", "logic = true", "cpu_ms_per_message.logic must be a number from 0 to 1,000,000,000"),
        ("most = 10_000", "most = 0", "connections_per_gateway.most must be a number from 1 to 1,000,000,000"),
        ("logic = 0.42", "logic = 0.42\nlogik = 1", "unknown cpu_ms_per_message.logik: it is one of gateway, logic, "),
        ("[mib_at_rest]", "[mib]\nx = 1\n[mib_at_rest]", "unknown mib: it is one of cpu_ms_per_message, "),
        ("[cpu_ms_per_message]", "kib_per_connection = 1\n[cpu_ms_per_message]", "kib_per_connection must be a table"),
    ],
)
def test_what_is_wrong_with_costs_is_told_with_file_and_key(was: str, is_now: str, said: str, tmp_path: Path) -> None:
    shipped = files("im_bench.capacity").joinpath("unit_costs.toml").read_text(encoding="utf-8")
    if said.startswith("kib_per_connection"):
        shipped = shipped.replace("[kib_per_connection]\ngateway = 11.8\nredis = 0.9\n", "")
    path = tmp_path / "costs.toml"
    path.write_text(shipped.replace(was, is_now, 1), encoding="utf-8")
    with pytest.raises(ValueError, match="costs") as caught:
        read_costs(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_what_one_primary_cannot_hold_is_a_warning() -> None:
    costs = read_costs(None)
    assert make_plan(SMALL, costs).warnings == ()
    memory = make_plan(replace(SMALL, users=10_000_000), costs).warnings
    assert "it is what ends first" in memory[0]
    cores = make_plan(replace(SMALL, users=10_000_000, peak=100, hot_days=0), costs).warnings
    assert "one MariaDB primary would need 127 cores and 0 GiB" in cores[0]
