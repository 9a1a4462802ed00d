"""Processor time is shared among what was done with it."""

from typing import Any

import pytest

from im_bench.report.costs import cpu_us


def run(**changed: Any) -> dict[str, Any]:
    resources = {"gateway-a": {"cpu_s": 2.0, "rss_mib": 1.0}}
    return {
        "acked_per_s": 100.0,
        "delivered_per_s": 400.0,
        "settings": {"duration": 5.0},
        "resources": resources,
        **changed,
    }


def test_of_each_thing_acked_or_delivered() -> None:
    assert cpu_us(run()) == {"gateway-a": pytest.approx(4000)}
    assert cpu_us(run(), "delivered") == {"gateway-a": pytest.approx(1000)}


def test_nothing_is_told_where_nothing_is_known() -> None:
    assert cpu_us(run(resources=None)) == {}
    assert cpu_us(run(acked_per_s=None)) == {}
    assert cpu_us(run(settings={})) == {}, "a scenario that does not drive at a rate"
