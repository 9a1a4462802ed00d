"""The cache of a process that is a cluster of its own."""

import heapq
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from im_infra import error_table
from im_infra.cache.abstract import MAX_VALUE_BYTES, Reading
from im_infra.clock import Clock, SystemClock
from im_infra.errors import ImError

# A write clears away at most so much that has expired, so that no single one takes long; twice what it can add.
_SWEPT_PER_WRITE: Final = 16


@dataclass(slots=True)
class _Entry:
    value: bytes
    expire_s: float
    listed_s: int
    """The second of the calendar under which the key is listed; renewals do not move it."""


class MemoryCache:
    """Values in this process's memory.

    When it is full (in entries or bytes), what has expired goes first; if that does not help, the write is refused with
    UNAVAILABLE and everything already there stays: dropping somebody's route would silently cut a user off. Expired
    values are never returned, and are cleared away by later writes. Every call is done when it returns and never waits.

    Args:
        clock: monotonic time, for the times to live.
        max_entries: how many keys it holds.
        max_bytes: how many bytes of keys and values it holds.
    """

    def __init__(
        self, clock: Clock | None = None, *, max_entries: int = 1_000_000, max_bytes: int = 256 * 1024 * 1024
    ) -> None:
        self._monotonic = (clock or SystemClock()).monotonic
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Lose everything, as a restarted server would; the epoch changes."""
        self._epoch = secrets.token_hex(8)
        self._entries: dict[str, _Entry] = {}
        self._bytes = 0
        self._calendar: dict[int, set[str]] = {}  # second → keys to look at then; each key is listed once
        self._seconds: list[int] = []  # heap of the calendar's seconds

    async def epoch(self) -> str:
        """Changes when everything was lost."""
        return self._epoch

    async def read(self, keys: Sequence[str]) -> Reading:
        """The values in the order of `keys`, with the epoch."""
        return Reading(await self.get_many(keys), self._epoch)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of `keys`; None where there is none."""
        now, entries = self._monotonic(), self._entries
        values: list[bytes | None] = []
        for key in keys:
            entry = entries.get(key)
            values.append(entry.value if entry is not None and entry.expire_s > now else None)
        return values

    async def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Set a value; raises ImError(UNAVAILABLE) when there is no room for it."""
        self._store(key, value, self._monotonic(), ttl_s)

    async def take(self, key: str) -> bytes | None:
        """Read and delete at once."""
        entry = self._living(key, self._monotonic())
        if entry is None:
            return None
        self._drop(key, entry)
        return entry.value

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, *, ttl_s: float) -> bool:
        """Replace `expected` by `value`; raises ImError(UNAVAILABLE) when there is no room for it."""
        now = self._monotonic()
        entry = self._living(key, now)
        if (entry.value if entry is not None else None) != expected:
            return False
        if value is not None:
            self._store(key, value, now, ttl_s)
        elif entry is not None:
            self._drop(key, entry)
        return True

    async def increment(self, key: str, *, ttl_s: float) -> int:
        """Count up from 0; raises ImError(UNAVAILABLE) when there is no room for a new count."""
        now = self._monotonic()
        entry = self._living(key, now)
        count = 1 if entry is None else int(entry.value) + 1
        self._store(key, b"%d" % count, now, ttl_s if entry is None else entry.expire_s - now)
        return count

    def _living(self, key: str, now: float) -> _Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expire_s > now else None

    def _store(self, key: str, value: bytes, now: float, ttl_s: float) -> None:
        if len(value) > MAX_VALUE_BYTES:
            raise ValueError(f"{key} would have {len(value)} bytes, over {MAX_VALUE_BYTES}")
        self._sweep(now, _SWEPT_PER_WRITE)
        old = self._entries.get(key)
        growth = len(value) - len(old.value) if old is not None else len(value) + len(key)
        if not self._fits(old, growth):
            self._sweep(now, len(self._entries))
            old = self._entries.get(key)
            if not self._fits(old, growth):
                raise ImError(error_table.UNAVAILABLE, "the cache is full", retry_after_ms=1_000)
        expire_s = now + ttl_s
        second = int(expire_s) + 1
        self._bytes += growth
        if old is not None and old.listed_s <= second:
            old.value, old.expire_s = value, expire_s
            return
        if old is not None:
            self._unlist(key, old)
        self._entries[key] = _Entry(value, expire_s, second)
        self._list(key, second)

    def _fits(self, old: _Entry | None, growth: int) -> bool:
        return (old is not None or len(self._entries) < self._max_entries) and self._bytes + growth <= self._max_bytes

    def _drop(self, key: str, entry: _Entry) -> None:
        del self._entries[key]
        self._bytes -= len(key) + len(entry.value)
        self._unlist(key, entry)

    def _list(self, key: str, second: int) -> None:
        keys = self._calendar.get(second)
        if keys is None:
            keys = self._calendar[second] = set()
            heapq.heappush(self._seconds, second)
        keys.add(key)

    def _unlist(self, key: str, entry: _Entry) -> None:
        self._calendar[entry.listed_s].discard(key)

    def _sweep(self, now: float, at_most: int) -> None:
        """Look at up to `at_most` keys whose second has come: drop the expired, list the renewed anew."""
        seconds = self._seconds
        while seconds and seconds[0] <= now and at_most > 0:
            keys = self._calendar[seconds[0]]
            while keys and at_most > 0:
                at_most -= 1
                key = keys.pop()
                entry = self._entries[key]
                if entry.expire_s <= now:
                    del self._entries[key]
                    self._bytes -= len(key) + len(entry.value)
                else:
                    entry.listed_s = int(entry.expire_s) + 1
                    self._list(key, entry.listed_s)
            if not keys:
                del self._calendar[heapq.heappop(seconds)]
