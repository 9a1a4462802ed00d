"""The one thread that writes to SQLite, and whose turn it is there."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class SqliteWriterThread:
    """Runs calls one after the other in a thread of its own: the urgent ones first, else in their order.

    People wait for a message's commit; what moves cursors or clears up comes in bursts, milliseconds each, and nobody
    waits for it. Whoever runs one urgent call at a time leaves every second turn to the others.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._urgent: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._others: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    async def run(self, call: Callable[[], T], *, urgent: bool = False) -> T:
        """Run `call` when it is its turn. A cancelled caller goes on at once; the call is made all the same.

        Raises:
            Exception: whatever the call raises.
        """
        return await asyncio.shield(asyncio.wrap_future(self._line_up(call, urgent=urgent)))

    def shut_down(self) -> None:
        """Make the calls that wait, and end; blocks until then."""
        self._thread.shutdown()

    def _line_up(self, call: Callable[[], T], *, urgent: bool) -> Future[T]:
        future: Future[T] = Future()
        (self._urgent if urgent else self._others).append((future, call))
        self._thread.submit(self._take_turn)  # a turn for each call, not that call's own
        return future

    def _take_turn(self) -> None:
        future, call = (self._urgent or self._others).popleft()
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - the caller's, who raises it
            future.set_exception(error)
            del future  # the error knows this frame: together they would stay, as nobody looks for cycles here
        else:
            future.set_result(result)
