"""Records that wait to be taken, and those who wait for what becomes of them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from im_infra import error_table
from im_infra.bus.abstract import Record
from im_infra.errors import ImError

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Of keys and values: what a process can lose to a consumer that stands still, besides the count of records."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record whose publisher waits."""

    record: Record
    outcome: asyncio.Future[None]

    def done(self) -> None:
        """Tell the publisher, if it still waits."""
        if not self.outcome.done():
            self.outcome.set_result(None)

    def failed(self, error: BaseException) -> None:
        """Tell the publisher, if it still waits."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Backlog:
    """A bounded queue of records; when it is full, adding one is refused with OVERLOADED.

    Args:
        max_records: how many it holds.
        max_bytes: how many bytes of keys and values it holds.
    """

    def __init__(self, max_records: int, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, record: Record) -> asyncio.Future[None]:
        """Queue a record; the future tells what became of it.

        Raises:
            ImError: OVERLOADED: it is full.
        """
        size = len(record.key) + len(record.value)
        if len(self._waiting) >= self._max_records or self._bytes + size > self._max_bytes:
            raise ImError(error_table.OVERLOADED, f"the buffer of {record.topic} is full", retry_after_ms=500)
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(record, outcome))
        self._bytes += size
        return outcome

    def take(self, at_most: int) -> Sequence[Waiting]:
        """The first ones, in order; they do not wait here any more."""
        taken = [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]
        self._bytes -= sum(len(waiting.record.key) + len(waiting.record.value) for waiting in taken)
        return taken
