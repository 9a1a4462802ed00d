"""What a reader sees first is what the scenario measured."""

from typing import Any

from im_bench.report.page.tiles import headline, tiles

SUMMARY = {"p50": 1.5, "p90": 2.0, "p99": 120.4, "p999": 130.0, "max": 131.0}


def result(**changed: Any) -> dict[str, Any]:
    return {
        "scenario": "idle", "verdict": "GOOD", "offered_per_s": None, "acked_per_s": None, "delivered_per_s": None, "latency_ms": {"ping": SUMMARY},
        "measured": {"cluster_kib_per_connection": 11.25}, "generator": {"cpu_share": None},
        "settings": {"mode": "embedded"}, "environment": {"cores": None}, **changed,
    }  # fmt: skip


def test_what_only_this_scenario_measures_is_a_figure_of_its_own() -> None:
    told = tiles(result())
    assert "cluster kib per connection" in told
    assert "11.25" in told
    assert "ping p99" in told
    assert ">120<" in told
    assert "acked" not in told


def test_deliveries_go_before_whatever_else_was_timed() -> None:
    told = tiles(result(latency_ms={"connect": SUMMARY, "delivery": SUMMARY}, acked_per_s=1234.5, delivered_per_s=9.0))
    assert "delivery p50" in told
    assert "connect p50" not in told
    assert "1,234" in told


def test_the_headline_says_what_the_figures_are_worth() -> None:
    assert "no figure below counts" in headline(result(verdict="INCORRECT"))
    assert "embedded server" in headline(result())


def test_a_server_that_did_not_keep_up_is_told_beside_the_verdict() -> None:
    behind = {"offered_per_s": 500.0, "acked_per_s": 260.0}
    assert "did not keep up" in headline(result(**behind))
    assert "did not keep up" not in headline(result(**behind, settings={"mode": "embedded", "closed": True}))
    assert "did not keep up" not in headline(result(offered_per_s=500.0, acked_per_s=499.0))
