"""Messages on their way out: one unacknowledged per conversation, repeated with the same id until they are answered.

Pure: it decides what is written next and when; it knows nothing of frames or sockets. Drafts of one conversation keep
their order: what waits for a repeat holds back those behind it.
"""

import random
from collections import deque
from collections.abc import Iterator
from typing import Final

from im_proto.v1 import message_pb2
from im_sdk._backoff import repeat_delay
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError

_NEVER: Final = float("inf")
_INTERNAL_TRIES: Final = 2
"""A bug of the server's is met once more, not for ever."""


class Draft:
    """A message that waits for its acknowledgement."""

    __slots__ = (
        "answer_deadline", "attempt", "client_message_id", "content", "conversation_id", "ref_seq", "request_id",
        "seen_seq", "traceparent", "written",
    )  # fmt: skip

    def __init__(
        self,
        conversation_id: int,
        client_message_id: str,
        content: message_pb2.Content,
        *,
        ref_seq: int = 0,
        seen_seq: int = 0,
        attempt: int = 0,
        traceparent: str = "",
    ) -> None:
        self.conversation_id = conversation_id
        self.client_message_id = client_message_id
        self.content = content
        self.ref_seq = ref_seq
        self.seen_seq = seen_seq
        self.attempt = attempt
        """How often it may have been written to a socket."""
        self.traceparent = traceparent
        """The trace it is part of; of this run alone, no store keeps it."""
        self.request_id = 0
        """The frame of its last try."""
        self.written = False
        """It is on the wire of this connection and not answered."""
        self.answer_deadline = _NEVER

    def __repr__(self) -> str:
        return f"Draft({self.conversation_id}, {self.client_message_id}, attempt={self.attempt})"


class _Queue:
    """The drafts of one conversation."""

    __slots__ = ("drafts", "not_before", "parked")

    def __init__(self) -> None:
        self.drafts: deque[Draft] = deque()
        self.not_before = 0.0
        self.parked = False


class Outbox:
    """All queues.

    Args:
        pipeline: unacknowledged drafts per conversation.
        answer_timeout_s: without an answer for so long a draft is written again.
        source: the jitter's randomness.
    """

    def __init__(self, *, pipeline: int, answer_timeout_s: float, source: random.Random) -> None:
        self._pipeline = pipeline
        self._answer_timeout_s = answer_timeout_s
        self._random = source
        self._queues: dict[int, _Queue] = {}
        self._by_id: dict[str, Draft] = {}
        self._ready: dict[int, None] = {}
        self._sleeping: dict[int, None] = {}
        self._written: dict[str, Draft] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Draft]:
        return iter(self._by_id.values())

    def __contains__(self, client_message_id: object) -> bool:
        return client_message_id in self._by_id

    def add(self, draft: Draft) -> None:
        """Put a draft behind those of its conversation."""
        queue = self._queues.get(draft.conversation_id)
        if queue is None:
            queue = self._queues[draft.conversation_id] = _Queue()
        queue.drafts.append(draft)
        self._by_id[draft.client_message_id] = draft
        self._ready[draft.conversation_id] = None

    def take(self, now: float) -> list[Draft]:
        """The drafts to write now, in order; each counts as written, with its attempt counted up."""
        taken: list[Draft] = []
        if self._sleeping:
            for conversation_id in [key for key in self._sleeping if self._queues[key].not_before <= now]:
                del self._sleeping[conversation_id]
                self._ready[conversation_id] = None
        for conversation_id in self._ready:
            queue = self._queues.get(conversation_id)
            if queue is None or queue.parked:
                continue
            if queue.not_before > now:
                self._sleeping[conversation_id] = None
                continue
            for position, draft in enumerate(queue.drafts):
                if position >= self._pipeline:
                    break
                if not draft.written:
                    draft.written = True
                    draft.attempt += 1
                    draft.answer_deadline = now + self._answer_timeout_s
                    self._written[draft.client_message_id] = draft
                    taken.append(draft)
        self._ready.clear()
        return taken

    def acknowledge(self, client_message_id: str) -> Draft | None:
        """It is stored. Gives the draft, or None where an earlier answer settled it already."""
        draft = self._by_id.get(client_message_id)
        if draft is not None:
            self._remove(draft)
        return draft

    def refuse(self, draft: Draft, error: ImError, now: float) -> bool:
        """It was refused. Gives whether that is for good; else it will be written again, before those behind it."""
        if self._by_id.get(draft.client_message_id) is not draft:
            return False
        if not error.retryable or (error.number == ErrorNumber.INTERNAL and draft.attempt >= _INTERNAL_TRIES):
            self._remove(draft)
            return True
        delay = repeat_delay(draft.attempt, self._random, at_least_s=error.retry_after_ms / 1000)
        self._rest(draft)
        self._sleep(draft.conversation_id, now + delay)
        return False

    def renew(self, draft: Draft, client_message_id: str, *, park: bool) -> None:
        """Give a draft that was never stored a new id; parked, its conversation waits for `release`."""
        self._rest(draft)
        self._by_id = {
            (client_message_id if each is draft else key): each for key, each in self._by_id.items()
        }  # keeps the order, which is that of adding
        draft.client_message_id = client_message_id
        draft.attempt = 0
        queue = self._queues[draft.conversation_id]
        queue.parked = park
        self._ready[draft.conversation_id] = None

    def release(self, conversation_id: int) -> None:
        """The renewed id is safe; go on."""
        if (queue := self._queues.get(conversation_id)) is not None:
            queue.parked = False
            self._ready[conversation_id] = None

    def withdraw(self, client_message_id: str) -> bool:
        """Take back a draft that was never written. Gives whether that was so."""
        draft = self._by_id.get(client_message_id)
        if draft is None or draft.attempt > 0:
            return False
        self._remove(draft)
        return True

    def connection_lost(self) -> None:
        """What was written has an unknown outcome: it is written again, in order, on the next connection."""
        for draft in self._written.values():
            draft.written = False
            draft.answer_deadline = _NEVER
        self._written.clear()
        for conversation_id, queue in self._queues.items():
            queue.not_before = 0.0
            self._ready[conversation_id] = None
        self._sleeping.clear()

    def expire(self, now: float) -> None:
        """What was not answered in time is written again on this connection."""
        for draft in [draft for draft in self._written.values() if draft.answer_deadline <= now]:
            self._rest(draft)
            self._ready[draft.conversation_id] = None

    def deadline(self) -> float:
        """When `take` or `expire` may have something to do."""
        first = next(iter(self._written.values()), None)
        answer = first.answer_deadline if first is not None else _NEVER
        if self._sleeping:
            answer = min(answer, *(self._queues[key].not_before for key in self._sleeping))
        return answer

    @property
    def has_ready(self) -> bool:
        """`take` has something to look at."""
        return bool(self._ready)

    def clear(self) -> list[Draft]:
        """Give up everything; the drafts, in the order of adding."""
        drafts = list(self._by_id.values())
        self._queues.clear()
        self._by_id.clear()
        self._ready.clear()
        self._sleeping.clear()
        self._written.clear()
        return drafts

    def _rest(self, draft: Draft) -> None:
        draft.written = False
        draft.answer_deadline = _NEVER
        self._written.pop(draft.client_message_id, None)

    def _sleep(self, conversation_id: int, until: float) -> None:
        queue = self._queues[conversation_id]
        queue.not_before = max(queue.not_before, until)
        self._sleeping[conversation_id] = None
        self._ready.pop(conversation_id, None)

    def _remove(self, draft: Draft) -> None:
        del self._by_id[draft.client_message_id]
        self._written.pop(draft.client_message_id, None)
        queue = self._queues[draft.conversation_id]
        if queue.drafts[0] is draft:
            queue.drafts.popleft()
        else:
            queue.drafts.remove(draft)
        if queue.drafts:
            self._ready[draft.conversation_id] = None
        else:
            del self._queues[draft.conversation_id]
            self._sleeping.pop(draft.conversation_id, None)
            self._ready.pop(draft.conversation_id, None)
