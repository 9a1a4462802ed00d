"""The one place that chooses a cache."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from im_infra.cache.abstract import Cache
from im_infra.cache.memory import MemoryCache
from im_infra.cache.settings import CacheSettings
from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics


@asynccontextmanager
async def open_cache(settings: CacheSettings, *, clock: Clock, metrics: Metrics) -> AsyncIterator[Cache]:
    """The cache of that kind, open while the context is.

    Raises:
        ImError: UNAVAILABLE: nobody answers there, or lets us in.
    """
    match settings.kind:
        case "memory":
            yield MemoryCache(clock, max_entries=settings.max_entries, max_bytes=settings.max_bytes)
        case "redis":
            # Its library is slow to import, and the embedded cluster does not need it.
            from im_infra.cache.redis.redis import open_redis  # noqa: PLC0415

            async with open_redis(settings.redis, metrics) as cache:
                yield cache
