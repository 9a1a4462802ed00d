"""People who use the client against the live server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from im_sdk import Client, Event, SessionSettings
from tests.sdk_support.live_server import LiveServer

EventT = TypeVar("EventT")
FAST = SessionSettings(hold_min_s=0.01, hold_max_s=0.02)


async def signed_in(live: LiveServer, handle: str, **options: Any) -> Client:
    """Somebody who is online."""
    client = Client(live.url, **{"settings": FAST, **options})
    try:
        await client.register(handle, "correct horse")
        await client.connect()
    except BaseException:
        await client.close()
        raise
    return client


async def until(events: AsyncIterator[Event], kind: type[EventT]) -> EventT:
    """The next event of a kind."""
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} came")


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
