"""The lag is what the processes tell, and nothing where they tell none."""

import asyncio
import contextlib

from im_bench.run.lag import LagProbe, lag_of

PAGE = """
# HELP im_bus_lag_items Records in this process's partitions that did not take effect yet.
# TYPE im_bus_lag_items gauge
im_bus_lag_items{topic="im.fanout"} 12.0
im_bus_lag_items{topic="im.offline"} 3.0
# TYPE im_other gauge
im_other 5
"""


def test_the_lag_is_told_by_topic() -> None:
    assert lag_of(PAGE) == {"im.fanout": 12.0, "im.offline": 3.0}
    assert lag_of("") == {}


async def test_nobody_is_asked_where_nobody_tells() -> None:
    probe = LagProbe(())
    await probe.run()
    assert probe.lag == {}


async def test_what_cannot_be_reached_is_left_out() -> None:
    probe = LagProbe(["http://127.0.0.1:9/metrics"])
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(probe.run(), 0.3)
    assert probe.lag == {}
