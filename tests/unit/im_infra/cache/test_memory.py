import pytest

from im_infra import error_table
from im_infra.cache.abstract import MAX_VALUE_BYTES
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError


async def refused(cache: MemoryCache, key: str, value: bytes = b"v") -> bool:
    try:
        await cache.put(key, value, ttl_s=60)
    except ImError as error:
        return error.reason is error_table.UNAVAILABLE
    return False


async def test_full_of_entries_a_new_key_is_refused_and_the_old_stay(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_entries=2)
    await cache.put("a", b"1", ttl_s=60)
    await cache.put("b", b"2", ttl_s=60)
    assert await refused(cache, "c")
    await cache.put("a", b"3", ttl_s=60)
    assert await cache.get_many(["a", "b", "c"]) == [b"3", b"2", None]


async def test_full_of_bytes_a_larger_value_is_refused_and_the_old_stays(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_bytes=10)
    await cache.put("a", b"12345", ttl_s=60)
    assert await refused(cache, "a", b"1234567890")
    assert await refused(cache, "b", b"1234")
    assert await cache.get_many(["a", "b"]) == [b"12345", None]
    assert not await refused(cache, "b", b"123")


async def test_every_writing_operation_is_refused_when_full(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_entries=1)
    await cache.put("a", b"1", ttl_s=60)
    with pytest.raises(ImError):
        await cache.compare_and_set("b", None, b"1", ttl_s=60)
    with pytest.raises(ImError):
        await cache.increment("c", ttl_s=60)


async def test_the_expired_make_room(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_entries=100)
    for number in range(100):
        await cache.put(f"old:{number}", b"1", ttl_s=10)
    assert await refused(cache, "new")
    clock.advance(12)
    for number in range(100):
        assert not await refused(cache, f"new:{number}")
    assert len(cache) == 100


async def test_what_was_taken_or_deleted_makes_room(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_entries=1, max_bytes=2)
    for _ in range(3):
        await cache.put("a", b"1", ttl_s=60)
        await cache.take("a")
        await cache.put("b", b"1", ttl_s=60)
        await cache.compare_and_set("b", b"1", None, ttl_s=60)
    assert len(cache) == 0


async def test_writes_clear_away_what_has_expired_a_few_at_a_time(clock: ManualClock) -> None:
    cache = MemoryCache(clock)
    for number in range(100):
        await cache.put(f"old:{number}", b"1", ttl_s=10)
    clock.advance(12)
    await cache.put("new", b"1", ttl_s=60)
    assert 50 < len(cache) < 100
    for _ in range(10):
        await cache.put("new", b"1", ttl_s=60)
    assert len(cache) == 1


async def test_the_renewed_outlive_the_second_they_were_listed_for(clock: ManualClock) -> None:
    cache = MemoryCache(clock)
    await cache.put("a", b"1", ttl_s=10)
    clock.advance(9)
    await cache.put("a", b"1", ttl_s=10)
    clock.advance(5)
    await cache.put("b", b"1", ttl_s=1)
    assert await cache.get_many(["a"]) == [b"1"]
    clock.advance(10)
    await cache.put("b", b"1", ttl_s=1)
    assert len(cache) == 1


async def test_a_shorter_time_to_live_is_kept_to(clock: ManualClock) -> None:
    cache = MemoryCache(clock)
    await cache.put("a", b"1", ttl_s=100)
    await cache.put("a", b"2", ttl_s=1)
    clock.advance(3)
    await cache.put("b", b"1", ttl_s=1)
    assert len(cache) == 1


async def test_a_value_over_64_kib_is_a_mistake(clock: ManualClock) -> None:
    cache = MemoryCache(clock)
    await cache.put("a", b"x" * MAX_VALUE_BYTES, ttl_s=1)
    with pytest.raises(ValueError, match="over 65536"):
        await cache.put("a", b"x" * (MAX_VALUE_BYTES + 1), ttl_s=1)


async def test_losing_everything_changes_the_epoch(clock: ManualClock) -> None:
    cache = MemoryCache(clock, max_entries=1)
    await cache.put("a", b"1", ttl_s=60)
    epoch = await cache.epoch()
    cache.clear()
    assert await cache.epoch() != epoch
    assert not await refused(cache, "b")
