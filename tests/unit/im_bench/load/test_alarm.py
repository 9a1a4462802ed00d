"""An alarm rings, not before its time."""

import asyncio
import time

import pytest

from im_bench.load.alarm import Alarm


async def test_it_sleeps_at_least_as_long_as_asked() -> None:
    with Alarm() as alarm:
        for seconds in (0.0, 0.0003, 0.004):
            begun = time.monotonic()
            await asyncio.wait_for(alarm.sleep(seconds), 5)
            assert time.monotonic() - begun >= seconds


async def test_a_cancelled_sleep_does_not_wake_the_next_one() -> None:
    with Alarm() as alarm:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(alarm.sleep(60), 0.01)
        begun = time.monotonic()
        await asyncio.wait_for(alarm.sleep(0.03), 5)
        assert time.monotonic() - begun >= 0.03


async def test_without_a_timer_of_the_kernel_the_loops_own_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("im_bench.load.alarm._LIBC", object())
    with Alarm() as alarm:
        begun = time.monotonic()
        await asyncio.wait_for(alarm.sleep(0.01), 5)
        assert time.monotonic() - begun >= 0.009
