"""The page holds everything it needs, draws every plot, and fits a phone."""

import re
from pathlib import Path
from typing import Any

import pytest

from im_bench.measure.latency import Latency
from im_bench.report.page.result_page import result_page
from tests.support.chromium import CHROMIUM, NARROWEST, show

SUMMARY = {"p50": 1.5, "p90": 2.0, "p99": 12.0, "p999": 30.0, "max": 31.0}
PLOTS = ["percentiles", "latency", "rates", "connections", "cpu", "memory", "lag"]


def row(number: int) -> dict[str, Any]:
    return {
        "t_s": float(number), "step": "drive", "measured": number > 3, "connections": 10,
        "offered_per_s": 100.0, "acked_per_s": 99.0, "delivered_per_s": 99.0,
        "latency_ms": {"delivery": SUMMARY}, "generator_cpu": [0.2],
        "resources": {"gateway-a": {"cpu_share": 0.4, "rss_mib": 90.0 + number}}, "lag": {"im.fanout": float(number)},
    }  # fmt: skip


def result(**changed: Any) -> dict[str, Any]:
    latency = Latency()
    latency.add(dict.fromkeys(range(100, 5000, 7), 1))
    return {
        "scenario": "private", "verdict": "GOOD", "reasons": [], "notes": [], "offered_per_s": 100.0, "acked_per_s": 99.0, "delivered_per_s": 99.0,
        "settings": {"rate": 100.0, "duration": 5.0, "mode": "cluster"}, "latency_ms": {"delivery": SUMMARY},
        "environment": {"cores": 2, "cpu_model": "a processor"}, "histograms": {"delivery": latency.encoded()},
        "correctness": {"lost": 0, "gap": 3}, "counts": {}, "measured": {}, "generator": {"cpu_share": 0.2},
        "resources": {"gateway-a": {"cpu_s": 1.0, "rss_mib": 90.0}}, "steps": [], "series": [row(n) for n in range(9)],
        **changed,
    }  # fmt: skip


def test_nothing_is_fetched_from_anywhere() -> None:
    page = result_page(result())
    assert re.findall(r"https?://[^\"']+", page) == ["http://www.w3.org/2000/svg"], "the name of a format, not a place"
    assert not re.search(r"<(link|img|iframe)|@import|\bsrc=|url\(", page)
    assert "{{" not in page


def test_the_verdict_and_its_reasons_are_said() -> None:
    page = result_page(result(verdict="TARGET_MISSED", reasons=["p99=1ms expected, 12 ms found"], notes=["a note"]))
    assert "TARGET MISSED" in page
    assert "p99=1ms expected, 12 ms found" in page
    assert "a note" in page
    assert "closed loop" not in page
    assert "closed loop" in result_page(result(settings={"closed": True, "mode": "remote", "duration": 5.0}))


def test_texts_of_a_server_are_texts() -> None:
    evil = "</script><b>x</b>"
    page = result_page(result(notes=[evil], scenario=evil, counts={evil: 1}, measured={evil: 1.0}))
    assert evil not in page
    assert page.count("</script>") == 2


def test_a_result_without_a_server_of_its_own_or_a_latency_has_a_page() -> None:
    page = result_page(result(resources=None, latency_ms={}, histograms={}, series=[]))
    assert "not known" in page
    assert "None was measured" in page


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [NARROWEST, 1400])
def test_every_plot_is_drawn_and_nothing_sticks_out(tmp_path: Path, width: int) -> None:
    """The layout for phones begins above the narrowest window."""
    shown = show(result_page(result()), tmp_path, width=width)
    assert shown.scrolled <= shown.inner <= width, "wider than the window"
    for name in PLOTS:
        assert 'class="line"' in shown.figure(name), name
    assert 'class="band"' in shown.figure("latency"), "the measured seconds"
    assert 'class="band"' not in shown.figure("percentiles")
