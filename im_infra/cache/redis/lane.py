"""One connection to a server in service: what is under way on it, and until when that has to be answered."""

import asyncio
from collections.abc import Sequence
from typing import Final

from im_infra.cache.redis.connect import Command, OnReplies, RedisConnection, Reply
from im_infra.errors import ImError

_NO_CALLS: Final[Sequence["Call"]] = ()


class Call:
    """Commands that one caller sends together."""

    __slots__ = ("answer", "commands", "reads", "repeatable", "weight")

    def __init__(self, commands: Sequence[Command], weight: int, *, reads: bool, repeatable: bool) -> None:
        self.commands = commands
        self.weight = weight
        self.reads = reads
        self.repeatable = repeatable
        self.answer: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()

    def fail(self, error: ImError) -> None:
        """It was executed or not."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Lane:
    """A connection with one round trip under way at most.

    Args:
        connection: made and greeted.
        turn: of the server's connections: those of an earlier one are not trusted.
        timeout_s: seconds that a round trip may take.
    """

    def __init__(self, connection: RedisConnection, *, turn: int, timeout_s: float) -> None:
        self.connection = connection
        self.turn = turn
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._calls = _NO_CALLS
        self._timer: asyncio.TimerHandle | None = None
        self._used_at = self._loop.time()

    def begin(self, calls: Sequence[Call], commands: Sequence[Command], on_replies: OnReplies) -> None:
        """Send commands for these calls; unless `done` is said in time, the connection ends with a TimeoutError."""
        self._calls = calls
        late = TimeoutError(f"no answer within {self._timeout_s * 1000:.0f} ms")
        self._timer = self._loop.call_later(self._timeout_s, self.connection.end, late)
        self.connection.send(commands, on_replies)

    def done(self) -> Sequence[Call]:
        """The round trip is over, for better or worse: whose it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        calls, self._calls = self._calls, _NO_CALLS
        self._used_at = self._loop.time()
        return calls

    @property
    def idle_s(self) -> float:
        """Seconds since its last round trip was over."""
        return self._loop.time() - self._used_at
