"""The pacer emits what is due and tells how late it was."""

import asyncio
import itertools
import time

from im_bench.load.pacer import Pacer
from im_bench.load.schedule import constant
from im_bench.load.window import Window
from im_bench.measure.latency import Recorder


def window_from_now(length_s: float, *, warm_up_s: float = 0.0) -> Window:
    now = time.monotonic()
    return Window(now, now + warm_up_s, now + length_s)


async def test_every_arrival_before_the_end_leaves_with_its_intended_moment() -> None:
    moments: list[float] = []
    window = window_from_now(0.05)
    await Pacer(constant(1000), window, emit=moments.append, slip=Recorder()).run()
    assert len(moments) in {50, 51}, "the last one may lie on the edge"
    spacing = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert all(abs(gap - 0.001) < 1e-6 for gap in spacing)


async def test_a_blocked_generator_shows_as_slip_and_loses_no_arrival() -> None:
    moments: list[float] = []
    slip = Recorder()

    def emit(due: float) -> None:
        moments.append(due)
        if len(moments) == 1:
            time.sleep(0.05)

    await asyncio.wait_for(Pacer(constant(1000), window_from_now(0.0295), emit=emit, slip=slip).run(), 5)
    assert len(moments) == 30
    assert max(slip.take()) > 20_000


async def test_only_measured_arrivals_count_as_slip() -> None:
    slip, moments = Recorder(), list[float]()
    await Pacer(constant(1000), window_from_now(0.02, warm_up_s=0.01), emit=moments.append, slip=slip).run()
    assert 9 <= sum(slip.take().values()) <= 11


async def test_a_window_that_is_cut_ends_the_load() -> None:
    window, moments, cut = window_from_now(60), list[float](), list[float]()

    def emit(due: float) -> None:
        moments.append(due)
        if len(moments) == 5:
            cut.append(time.monotonic())
            window.cut(cut[0])

    await asyncio.wait_for(Pacer(constant(200), window, emit=emit, slip=Recorder()).run(), 5)
    assert 5 <= len(moments) < 200
    assert moments[-1] <= cut[0]
