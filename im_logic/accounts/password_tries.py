"""How often passwords of one account may be tried, over the whole cluster."""

from typing import Final

from im_infra import error_table
from im_infra.cache.abstract import Cache
from im_infra.clock import Clock
from im_infra.errors import ImError

_WINDOW_S: Final = 60


class PasswordTries:
    """A count per account and minute in the cache.

    It counts unknown handles alike, so that the refusal tells nothing. Without the cache nobody logs in: the count is
    what stands between an account and somebody who tries from many addresses.
    """

    def __init__(self, cache: Cache, clock: Clock, *, per_minute: int) -> None:
        self._cache = cache
        self._clock = clock
        self._per_minute = per_minute

    async def spend(self, handle: str) -> None:
        """Count one try.

        Raises:
            ImError: RATE_LIMITED with the rest of the minute, or UNAVAILABLE.
        """
        into_ms = self._clock.now_ms() % (_WINDOW_S * 1000)
        minute = self._clock.now_ms() // (_WINDOW_S * 1000)
        tries = await self._cache.increment(f"tries:{handle}:{minute}", ttl_s=2 * _WINDOW_S)
        if tries > self._per_minute:
            wait_ms = _WINDOW_S * 1000 - into_ms
            raise ImError(error_table.RATE_LIMITED, "too many passwords tried", retry_after_ms=wait_ms)
