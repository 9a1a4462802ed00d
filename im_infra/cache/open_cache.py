"""The one place that chooses a cache."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from im_infra.cache.abstract import Cache
from im_infra.cache.memory import MemoryCache
from im_infra.cache.settings import CacheSettings
from im_infra.clock import Clock


@asynccontextmanager
async def open_cache(settings: CacheSettings, *, clock: Clock) -> AsyncIterator[Cache]:
    """The cache of that kind, open while the context is."""
    match settings.kind:
        case "memory":
            yield MemoryCache(clock, max_entries=settings.max_entries, max_bytes=settings.max_bytes)
