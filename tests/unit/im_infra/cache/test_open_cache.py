from im_infra.cache.memory import MemoryCache
from im_infra.cache.open_cache import open_cache
from im_infra.cache.settings import CacheSettings
from im_infra.clock import ManualClock


async def test_the_kind_decides(clock: ManualClock) -> None:
    async with open_cache(CacheSettings(kind="memory"), clock=clock) as cache:
        assert isinstance(cache, MemoryCache)
