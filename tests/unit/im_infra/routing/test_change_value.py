import asyncio
from collections.abc import Sequence

import pytest

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.routing.change_value import change_value


class Contended(MemoryCache):
    """A cache where others win the first `losses` changes, and whose reads are counted."""

    losses = 0
    reads = 0

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        self.reads += 1
        return await super().get_many(keys)

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, *, ttl_s: float) -> bool:
        if self.losses > 0:
            self.losses -= 1
            await super().put(key, b"theirs %d" % self.losses, ttl_s=ttl_s)
        return await super().compare_and_set(key, expected, value, ttl_s=ttl_s)


@pytest.fixture
def cache(clock: ManualClock) -> Contended:
    return Contended(clock)


def shout(value: bytes | None) -> bytes | None:
    return (value or b"") + b"!"


async def test_the_rule_makes_the_next_value(cache: Contended) -> None:
    await change_value(cache, "t:a", shout, ttl_s=60)
    await change_value(cache, "t:a", shout, ttl_s=60)
    assert await cache.get_many(["t:a"]) == [b"!!"]


async def test_the_rule_may_delete(cache: Contended) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    await change_value(cache, "t:a", lambda _: None, ttl_s=60)
    assert await cache.get_many(["t:a"]) == [None]


async def test_against_others_the_rule_sees_what_they_made(cache: Contended) -> None:
    cache.losses = 8
    await change_value(cache, "t:a", shout, ttl_s=60)
    assert await cache.get_many(["t:a"]) == [b"theirs 0!"]


async def test_a_known_value_saves_the_first_read(cache: Contended) -> None:
    await cache.put("t:a", b"1", ttl_s=60)
    await change_value(cache, "t:a", shout, ttl_s=60, known=b"1")
    assert cache.reads == 0
    await change_value(cache, "t:a", shout, ttl_s=60, known=b"stale")
    assert await cache.get_many(["t:a"]) == [b"1!!"]


async def test_who_never_wins_is_told(cache: Contended) -> None:
    cache.losses = 10_000
    with pytest.raises(ImError) as caught:
        async with asyncio.timeout(5):
            await change_value(cache, "t:a", shout, ttl_s=60)
    assert caught.value.reason is error_table.UNAVAILABLE
