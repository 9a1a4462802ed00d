"""The promise of the family `bus`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

FANOUT_TOPIC = "im.fanout"
DEAD_LETTER_TOPIC = "im.dlq"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    key: bytes
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    position: str = ""
    """Where it lies, for people: `partition/offset` or a row's id."""
    attempts: int = 0
    """How often it was handed out before, as far as the bus knows."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was given up, with the reason."""

    dead_letter_id: str
    record: Record
    error: str
    time: int
    """Milliseconds since the epoch."""


Handler = Callable[[Sequence[Record]], Awaitable[None]]
"""Takes records of one key-ordered stretch; returns when all of them took effect, raises when not."""


class Bus(Protocol):
    """Topics, consumed at least once.

    Records of one key reach one group in order. A handler's records are committed only after it returned; if it
    raises, they are handed out again with backoff; a record that failed three times goes to `im.dlq` with its topic,
    position and error, and what comes after it moves on. An `ImError` of the kinds UNAVAILABLE and EXHAUSTED says that
    something the record needs is away: that is waited out, for a minute by default, before the record is given up all the
    same. A record at which three processes ended is given up too, without an error of its own.
    """

    async def publish(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Hand a record over.

        Returns once it will be consumed at least once though every process stop now, **or** once its effect has
        already happened. Safe to cancel: published or not, never half.

        Raises:
            ImError: UNAVAILABLE when the bus cannot take it; OVERLOADED when its bounded buffer is full.
        """
        ...

    def consume(
        self, topic: str, *, group: str, handler: Handler, max_records: int = 100
    ) -> AbstractAsyncContextManager[None]:
        """Consume `topic` as `group` while the context is open; closing waits for the handler, bounded by 5 s."""
        ...

    async def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """The oldest dead letters."""
        ...

    async def redrive(self, dead_letter_id: str) -> bool:
        """Publish a dead letter to its topic again and remove it; False if there is none of that id."""
        ...

    async def check(self) -> None:
        """Raise `ImError(UNAVAILABLE)` unless the bus can take records: for readiness."""
        ...
