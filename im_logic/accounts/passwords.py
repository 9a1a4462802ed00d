"""Argon2id, away from the event loop and bounded."""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_logic.settings import PasswordSettings

T = TypeVar("T")

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_RETRY_AFTER_MS: Final = 1_000


class Argon2Passwords:
    """Hashes and checks passwords in a few threads (argon2 lets go of the interpreter while it computes).

    What waits for a thread is bounded; beyond it a call answers OVERLOADED at once, nothing done. Cancelling a call
    is safe: the thread ends its hash, and its place is free only then.

    Use it as a context manager: leaving it waits for the hashes under way and drops what waits.
    """

    def __init__(self, settings: PasswordSettings, metrics: Metrics, *, random: Callable[[int], bytes]) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.time_cost,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="password")
        self._places = settings.concurrency + settings.max_waiting
        self._nobodys = _unmatchable(settings, random(_SALT_BYTES), random(_HASH_BYTES))
        self._refused = metrics.counter("im_logic_password_hashes_refused_total")
        self._seconds = metrics.histogram("im_logic_password_hash_seconds")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The PHC string to store.

        Raises:
            ImError: OVERLOADED when too many wait.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password is the hash's.

        An empty hash (no such account, or one without a password) is never matched, and takes as long.

        Raises:
            ImError: OVERLOADED when too many wait.
        """
        return await self._run(lambda: self._verify(password_hash or self._nobodys, password))

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._places <= 0:
            self._refused.inc()
            raise ImError(error_table.OVERLOADED, "too many logins at once", retry_after_ms=_RETRY_AFTER_MS)
        self._places -= 1
        loop = asyncio.get_running_loop()
        future = self._threads.submit(self._timed, work)  # bounded by _places: full answers OVERLOADED
        future.add_done_callback(lambda done: self._leave(loop, done))
        return await asyncio.wrap_future(future)

    def _timed(self, work: Callable[[], T]) -> T:
        with self._seconds.time():
            return work()

    def _leave(self, loop: asyncio.AbstractEventLoop, _: "Future[T]") -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._free)

    def _free(self) -> None:
        self._places += 1


def _unmatchable(settings: PasswordSettings, salt: bytes, tag: bytes) -> str:
    """A PHC string that no password matches and that costs as much to check as a real one."""
    cost = f"m={settings.memory_kib},t={settings.time_cost},p={settings.parallelism}"
    salt_text, tag_text = (base64.b64encode(part).rstrip(b"=").decode() for part in (salt, tag))
    return f"$argon2id$v=19${cost}${salt_text}${tag_text}"
