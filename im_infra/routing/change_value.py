"""Read, decide, replace: the compare-and-set loop."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

from im_infra import error_table
from im_infra.cache.abstract import Cache
from im_infra.errors import ImError

# Sixteen losses in a row on one key are not bad luck among the few connections of a user or the gateways of a site.
_TRIES: Final = 16
_TRIES_AT_ONCE: Final = 4
_MAX_PAUSE_S: Final = 0.02


async def change_value(
    cache: Cache, key: str, rule: Callable[[bytes | None], bytes | None], *, ttl_s: float, known: bytes | None = None
) -> None:
    """Replace the value under `key` by what `rule` makes of it, against whoever changes it at the same time.

    Safe to cancel: replaced or not.

    Args:
        cache: where it lies.
        key: the key.
        rule: from the present value (None: absent) to the next; pure, since it may be asked several times.
        ttl_s: seconds the new value lives.
        known: what was just read under `key`; saves the first read.

    Raises:
        ImError: UNAVAILABLE: the cache is away, or others won every time.
    """
    value = known
    for attempt in range(_TRIES):
        if value is None or attempt > 0:
            (value,) = await cache.get_many((key,))
        changed = rule(value)
        if await cache.compare_and_set(key, value, changed, ttl_s=ttl_s):
            return
        if attempt >= _TRIES_AT_ONCE:
            await asyncio.sleep(random.uniform(0, _MAX_PAUSE_S))  # noqa: S311 - jitter, not a secret
    raise ImError(error_table.UNAVAILABLE, f"{key.partition(':')[0]} is contended", retry_after_ms=100)
