"""When to tell the server what was received.

The first delivery is told at once, then at most one frame a second, cumulative per conversation: a burst costs one
frame. A frame is not answered; what the last one said is said again after a reconnect, since it may have been lost.
"""

from typing import Final

FRAME_LIMIT: Final = 200
"""Cursors a frame may carry."""
_NEVER: Final = float("inf")


class ReceivedCursors:
    """What is still to be told.

    Args:
        interval_s: between two frames.
    """

    __slots__ = ("_dirty", "_interval_s", "_last", "_not_before")

    def __init__(self, *, interval_s: float) -> None:
        self._interval_s = interval_s
        self._dirty: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._not_before = 0.0

    def advance(self, conversation_id: int, seq: int) -> None:
        """Everything up to `seq` was received."""
        self._dirty[conversation_id] = seq

    def forget(self, conversation_id: int) -> None:
        """Left, or rewound."""
        self._dirty.pop(conversation_id, None)
        self._last.pop(conversation_id, None)

    def take(self, now: float) -> list[tuple[int, int]]:
        """The cursors to tell now, at most FRAME_LIMIT."""
        if not self._dirty or now < self._not_before:
            return []
        if len(self._dirty) <= FRAME_LIMIT:
            self._last, self._dirty = self._dirty, {}
        else:
            keys = list(self._dirty)[:FRAME_LIMIT]
            self._last = {key: self._dirty.pop(key) for key in keys}
        self._not_before = now + self._interval_s
        return list(self._last.items())

    def deadline(self) -> float:
        """When `take` has something to give."""
        return self._not_before if self._dirty else _NEVER

    def connection_lost(self) -> None:
        """The last frame may not have arrived."""
        self._dirty = {**self._last, **self._dirty}
        self._last = {}
