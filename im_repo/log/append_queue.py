"""What waits to be appended, and which of it goes into the next batch. A state machine without I/O.

A conversation is in at most one running batch, so that its entries are stored in the order in which they came, and a
batch that has to be tried again stays ahead of what came later. With one writer that is so by itself; with several, what
belongs to a running conversation steps aside until that batch ends.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from im_infra.errors import ImError
from im_repo.log.draft import Draft


class Answer(Protocol):
    """Who asked; exactly one of the two is called, once."""

    def answer(self, body: bytes) -> None:
        """A serialised RepoResponse."""
        ...

    def fail(self, error: ImError) -> None:
        """Nothing was stored, unless the error says that this is unknown."""
        ...


class Waiting(NamedTuple):
    """A draft and who asked."""

    draft: Draft
    answer: Answer


class AppendQueue:
    """Bounded by `max_items` and `max_bytes`; when full, `put` refuses.

    Args:
        max_items: drafts that may wait.
        max_bytes: bodies that may wait, in bytes.
    """

    def __init__(self, *, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._ready: deque[Waiting] = deque()  # bounded by put()
        self._aside: dict[int, deque[Waiting]] = {}
        self._bytes = 0
        self._items = 0

    def __len__(self) -> int:
        return self._items

    @property
    def has_ready(self) -> bool:
        """Whether `take` would find something."""
        return bool(self._ready)

    def put(self, waiting: Waiting) -> bool:
        """Line up; False: the queue is full and nothing was taken."""
        size = len(waiting.draft.body)
        if self._items >= self._max_items or self._bytes + size > self._max_bytes:
            return False
        self._items += 1
        self._bytes += size
        self._ready.append(waiting)
        return True

    def take(self, *, max_items: int, max_bytes: int) -> list[Waiting]:
        """The next batch, at least one draft if any is ready; its conversations run until `done`."""
        batch: list[Waiting] = []
        size = 0
        ready, aside = self._ready, self._aside
        running: set[int] = set()
        while ready and len(batch) < max_items:
            draft = ready[0].draft
            log_id = draft.conversation_id
            if log_id in aside and log_id not in running:
                aside[log_id].append(ready.popleft())
                continue
            if batch and size + len(draft.body) > max_bytes:
                break
            if log_id not in running:
                running.add(log_id)
                aside[log_id] = deque()
            size += len(draft.body)
            batch.append(ready.popleft())
        self._items -= len(batch)
        self._bytes -= size
        return batch

    def done(self, batch: Sequence[Waiting]) -> None:
        """The batch has ended: what stepped aside for it comes back to the front, in its order."""
        back: list[Waiting] = []
        for log_id in {waiting.draft.conversation_id for waiting in batch}:
            back.extend(self._aside.pop(log_id, ()))
        self._ready.extendleft(reversed(back))

    def clear(self) -> list[Waiting]:
        """Everything that waits, and nothing waits any more."""
        left = [*self._ready, *(waiting for aside in self._aside.values() for waiting in aside)]
        self._ready.clear()
        for aside in self._aside.values():
            aside.clear()
        self._items = self._bytes = 0
        return left
