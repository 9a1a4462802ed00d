"""Tries per account."""

import pytest

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_logic.accounts.password_tries import PasswordTries


async def test_the_next_try_after_the_last_waits_for_the_minute_to_end() -> None:
    clock = ManualClock(now_ms=1_800_000_000_000 // 60_000 * 60_000 + 10_000)
    tries = PasswordTries(MemoryCache(clock), clock, per_minute=3)
    for _ in range(3):
        await tries.spend("alice")
    with pytest.raises(ImError) as caught:
        await tries.spend("alice")
    assert caught.value.reason is error_table.RATE_LIMITED
    assert caught.value.retry_after_ms == 50_000
    await tries.spend("bob")
    clock.advance(50)
    await tries.spend("alice")


async def test_the_count_is_shared_by_all_processes() -> None:
    clock = ManualClock()
    cache = MemoryCache(clock)
    await PasswordTries(cache, clock, per_minute=1).spend("alice")
    with pytest.raises(ImError):
        await PasswordTries(cache, clock, per_minute=1).spend("alice")
