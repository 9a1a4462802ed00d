"""The pacer emits what is due and tells how late it was."""

import asyncio
import itertools
import time

from im_bench.pacer import Pacer
from im_bench.schedule import constant


async def test_every_arrival_within_the_duration_leaves_with_its_intended_moment() -> None:
    moments: list[float] = []
    pacer = Pacer(constant(1000), duration_s=0.05, emit=moments.append)
    await pacer.run()
    assert pacer.emitted == len(moments) == 50
    spacing = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert all(abs(gap - 0.001) < 1e-6 for gap in spacing)


async def test_a_blocked_generator_shows_as_slip_and_loses_no_arrival() -> None:
    moments: list[float] = []

    def emit(due: float) -> None:
        moments.append(due)
        if len(moments) == 1:
            time.sleep(0.05)

    pacer = Pacer(constant(1000), duration_s=0.03, emit=emit)
    await asyncio.wait_for(pacer.run(), 5)
    assert len(moments) == 30
    assert (pacer.slip.at(99) or 0) > 10
