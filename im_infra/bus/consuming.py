"""A consumer's life: it runs beside its context, is woken, and is given a moment to finish."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from im_infra import aio
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

CLOSE_TIMEOUT_S: Final = 5.0


class Consumer:
    """The signals a running consumer goes by."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop after what it is at."""
        return self._stopped.is_set()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def stop(self) -> None:
        """Stop after what it is at."""
        self._stopped.set()
        self._woken.set()

    async def woken(self, timeout_s: float | None = None) -> None:
        """Return once woken since the last call, asked to stop, or after `timeout_s` seconds."""
        await _set_within(self._woken, timeout_s)
        self._woken.clear()

    async def until_stopped(self) -> None:
        """Return when asked to stop."""
        await self._stopped.wait()

    async def pause(self, seconds: float) -> None:
        """Return after `seconds`, or when asked to stop."""
        await _set_within(self._stopped, seconds)


@asynccontextmanager
async def consuming(consumer: Consumer, run: Callable[[], Awaitable[None]], *, name: str) -> AsyncIterator[None]:
    """Run a consumer while the context is open; on closing it has 5 s to finish, then it is cancelled."""

    async def life() -> None:
        try:
            await run()
        finally:
            if not consumer.stopping:
                _LOG.error("consumer ended unasked", consumer=name)

    task = aio.spawn(life(), name=name)
    try:
        yield
    finally:
        consumer.stop()
        done, _ = await asyncio.wait({task}, timeout=CLOSE_TIMEOUT_S)
        if not done:
            task.cancel()
            await asyncio.wait({task})


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
