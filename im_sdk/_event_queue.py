"""What waits for the application."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Self

from im_sdk._events import ConnectionStateChanged, ConversationChanged, Event, ReceiptReceived, Typing

_PASSING: Final = (ConnectionStateChanged, ConversationChanged, ReceiptReceived, Typing)
"""What may be dropped when the queue is full: later ones, or `Client.conversations()`, say the same."""


class EventQueue:
    """Events in order, for one reader.

    Bounded without loss and without a deadlock: at the limit `on_full` stops the flow of messages at its source (the
    session passes over them and reads them again later), so that answers still arrive; at half of it `on_room` lets
    them flow again. What is of the moment only is dropped while the queue is full.

    Args:
        limit: events; what one network message brings may come on top.
        on_full: stop messages.
        on_room: let them flow.
    """

    def __init__(self, *, limit: int, on_full: Callable[[], None], on_room: Callable[[], None]) -> None:
        self._events: deque[Event] = deque()
        self._limit = limit
        self._on_full = on_full
        self._on_room = on_room
        self._full = False
        self._ended = False
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        """Messages are stopped."""
        return self._full

    def put(self, events: Sequence[Event]) -> None:
        """Take events."""
        if self._full:
            events = [event for event in events if not isinstance(event, _PASSING)]
        self._events.extend(events)
        if len(self._events) >= self._limit and not self._full:
            self._full = True
            self._on_full()
        self._wake()

    def begin(self) -> None:
        """Events come (again)."""
        self._ended = False

    def end(self, error: BaseException | None = None) -> None:
        """No more come: the reader ends after those that wait, with `error` if there is one."""
        self._ended = True
        self._error = error
        self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event; what one loop leaves the next loop gets. Safe to cancel: no event is lost by it.

        Raises:
            RuntimeError: another task waits for an event already.
        """
        while not self._events:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            if self._waiter is not None:
                raise RuntimeError("another task waits for events already: one reader gets them all")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        event = self._events.popleft()
        if self._full and len(self._events) <= self._limit // 2:
            self._full = False
            self._on_room()
        return event

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
