"""Questions that wait for their answers, over reconnects.

Every operation but a send is safe to repeat: reads by nature, changes by their `operation_id`. So an unanswered one is
written again on the next connection, and a retryable refusal is repeated when the server says, until its deadline.
"""

import random
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import Message as Wire

from im_sdk._backoff import repeat_delay
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError, from_table

OnDone = Callable[[Any, ImError | None, float], None]
"""Called once with (answer, None, now) or (None, error, now)."""

_NEVER: Final = float("inf")
_INTERNAL_TRIES: Final = 2


class Request:
    """An operation that was asked for."""

    __slots__ = (
        "attempt",
        "deadline",
        "not_before",
        "on_done",
        "operation",
        "repeats",
        "request_id",
        "traceparent",
        "try_deadline",
        "wire",
    )

    def __init__(
        self, operation: str, wire: Wire, on_done: OnDone, *, deadline: float, repeats: bool, traceparent: str = ""
    ) -> None:
        self.operation = operation
        self.wire = wire
        self.on_done = on_done
        self.deadline = deadline
        self.repeats = repeats
        """False: it belongs to this connection and fails with it."""
        self.traceparent = traceparent
        self.attempt = 0
        self.request_id = 0
        self.not_before = 0.0
        self.try_deadline = _NEVER


class Requests:
    """All operations that are open.

    Args:
        answer_timeout_s: without an answer for so long a request is written again.
        source: the jitter's randomness.
    """

    def __init__(self, *, answer_timeout_s: float, source: random.Random) -> None:
        self._answer_timeout_s = answer_timeout_s
        self._random = source
        self._last_id = 0
        self._open: dict[int, Request] = {}
        self._waiting: dict[Request, None] = {}

    def __len__(self) -> int:
        return len(self._open) + len(self._waiting)

    def next_id(self) -> int:
        """A number for a frame of this connection."""
        self._last_id += 1
        return self._last_id

    def add(self, request: Request) -> None:
        """Take a request; `take` gives it when it is to be written."""
        self._waiting[request] = None

    def take(self, now: float, *, own_only: bool) -> list[Request]:
        """The requests to write now; each gets the number of its frame.

        Args:
            now: monotonic seconds.
            own_only: only those that belong to this connection: before the first sync is in, the rest waits.
        """
        if not self._waiting:
            return []
        due = [r for r in self._waiting if r.not_before <= now and not (own_only and r.repeats)]
        for request in due:
            del self._waiting[request]
            request.attempt += 1
            request.request_id = self.next_id()
            request.try_deadline = min(now + self._answer_timeout_s, request.deadline)
            self._open[request.request_id] = request
        return due

    def find(self, request_id: int) -> Request | None:
        """The open request of that number."""
        return self._open.get(request_id)

    def answered(self, request: Request, answer: Wire, now: float) -> None:
        """Its answer came."""
        del self._open[request.request_id]
        request.on_done(answer, None, now)

    def refused(self, request: Request, error: ImError, now: float) -> None:
        """Its error came: it is repeated later, or fails."""
        del self._open[request.request_id]
        delay = repeat_delay(request.attempt, self._random, at_least_s=error.retry_after_ms / 1000)
        final = not (request.repeats and error.retryable) or now + delay >= request.deadline
        if final or (error.number == ErrorNumber.INTERNAL and request.attempt >= _INTERNAL_TRIES):
            request.on_done(None, error, now)
            return
        request.not_before = now + delay
        self._waiting[request] = None

    def withdraw(self, request: Request) -> None:
        """Nobody wants the answer any more."""
        self._waiting.pop(request, None)
        self._open.pop(request.request_id, None)

    def connection_lost(self, now: float, error: ImError) -> None:
        """What is open is written again on the next connection; what belongs to this one fails."""
        lost = list(self._open.values()) + list(self._waiting)
        self._open.clear()
        self._waiting.clear()
        self._last_id = 0
        for request in lost:
            request.not_before = 0.0
            request.try_deadline = _NEVER
            if request.repeats:
                self._waiting[request] = None
        for request in lost:
            if not request.repeats:
                request.on_done(None, error, now)

    def forget_own(self) -> None:
        """A connection begins: what was asked for one that was gone already would be said before its Hello."""
        self._waiting = {request: None for request in self._waiting if request.repeats}

    def expire(self, now: float) -> None:
        """Fail what is past its deadline, repeat what was not answered in time."""
        for request in [r for r in self._waiting if r.deadline <= now]:
            del self._waiting[request]
            request.on_done(None, from_table(ErrorNumber.DEADLINE_EXCEEDED, "no answer in time"), now)
        for request in [r for r in self._open.values() if r.try_deadline <= now]:
            del self._open[request.request_id]
            if request.repeats and request.deadline > now:
                request.not_before = now
                self._waiting[request] = None
            else:
                request.on_done(None, from_table(ErrorNumber.DEADLINE_EXCEEDED, "no answer in time"), now)

    def deadline(self) -> float:
        """When `take` or `expire` may have something to do."""
        soonest = min((r.try_deadline for r in self._open.values()), default=_NEVER)
        for request in self._waiting:
            soonest = min(soonest, request.deadline, request.not_before or _NEVER)
        return soonest

    def fail_all(self, error: ImError, now: float) -> None:
        """The session is over."""
        requests = list(self._open.values()) + list(self._waiting)
        self._open.clear()
        self._waiting.clear()
        for request in requests:
            request.on_done(None, error, now)
