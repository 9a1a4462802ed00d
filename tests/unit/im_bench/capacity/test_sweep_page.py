"""The page draws every line with its ranges, and fits a phone."""

from pathlib import Path

import pytest

from im_bench.capacity.sweep import Sweep
from im_bench.capacity.sweep_page import sweep_page
from im_bench.report.verdict import Verdict
from tests.support.chromium import CHROMIUM, NARROWEST, show
from tests.unit.im_bench.capacity.conftest import ran, swept

PLOTS = ("costs", "delivery_costs", "latencies", "rates", "memory")


def wide() -> Sweep:
    """Values that lie far apart, and two rounds."""
    return swept(*((value, ran(share * value / 10)) for share in (1, 2) for value in (10, 100, 1_000)), rounds=2)


def test_what_was_swept_and_how_it_ended_is_said() -> None:
    page = sweep_page(wide(), end="ended by hand")
    assert "<title>groups over members</title>" in page
    assert "6 runs, cluster server, 2 cores of a processor: ended by hand." in page
    assert "closed loop" not in page
    assert '"members"' not in page.split("<details")[1].split("</details>")[0], "it has no single value"


def test_why_a_run_was_not_good_is_said_once() -> None:
    late = ran(1, verdict=Verdict.INVALID, reasons=["the <generator> was late"])
    page = sweep_page(swept((2, ran(1)), (10, late), (10, late), rounds=2), end="all values were run")
    assert page.count("members 10: the &lt;generator&gt; was late") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [NARROWEST, 1400])
def test_every_plot_is_drawn_and_nothing_sticks_out(tmp_path: Path, width: int) -> None:
    shown = show(sweep_page(wide(), end="all values were run"), tmp_path, width=width)
    assert shown.scrolled <= shown.inner <= width, "wider than the window"
    for name in PLOTS:
        assert 'class="line"' in shown.figure(name), name
    assert shown.figure("costs").count('class="range"') == 3 * 3, "three lines at three values"
    assert ">1000<" in shown.figure("costs"), "the marks are the values"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_deliveries_have_a_plot_only_where_a_message_has_several(tmp_path: Path) -> None:
    private = swept((2, ran(1, delivered_per_s=100.0)), (10, ran(2, delivered_per_s=100.0)))
    shown = show(sweep_page(private, end="all values were run"), tmp_path, width=900)
    assert "<svg" not in shown.figure("delivery_costs")
    assert "<svg" in shown.figure("costs")
