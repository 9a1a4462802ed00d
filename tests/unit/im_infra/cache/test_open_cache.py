from im_infra.cache.memory import MemoryCache
from im_infra.cache.open_cache import open_cache
from im_infra.cache.settings import CacheSettings
from im_infra.clock import ManualClock
from im_infra.observability.metrics import Metrics


async def test_the_kind_decides(clock: ManualClock) -> None:
    async with open_cache(CacheSettings(kind="memory"), clock=clock, metrics=Metrics()) as cache:
        assert isinstance(cache, MemoryCache)
