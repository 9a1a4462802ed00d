"""When to tell the server what was received.

The first delivery is told at once, then at most one frame a second, cumulative per conversation: a burst costs one
frame. For half a second more a frame waits for another one to go with, since a message of its own costs a radio and a
server more than what it says. It is not answered; what the last one said is said again after a reconnect, since it may
have been lost.
"""

from typing import Final

FRAME_LIMIT: Final = 200
"""Cursors a frame may carry."""
_ALONE_AFTER: Final = 1.5
"""Intervals after the last frame until one goes without company."""
_NEVER: Final = float("inf")


class ReceivedCursors:
    """What is still to be told.

    Args:
        interval_s: between two frames.
    """

    __slots__ = ("_alone_from", "_dirty", "_interval_s", "_last", "_not_before")

    def __init__(self, *, interval_s: float) -> None:
        self._interval_s = interval_s
        self._dirty: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._not_before = 0.0
        self._alone_from = 0.0

    def advance(self, conversation_id: int, seq: int) -> None:
        """Everything up to `seq` was received."""
        self._dirty[conversation_id] = seq

    def forget(self, conversation_id: int) -> None:
        """Left, or rewound."""
        self._dirty.pop(conversation_id, None)
        self._last.pop(conversation_id, None)

    def take(self, now: float, *, along: bool = False) -> list[tuple[int, int]]:
        """The cursors to tell now, at most FRAME_LIMIT.

        Args:
            now: monotonic seconds.
            along: something else is being sent.
        """
        if not self._dirty or now < (self._not_before if along else self._alone_from):
            return []
        if len(self._dirty) <= FRAME_LIMIT:
            self._last, self._dirty = self._dirty, {}
        else:
            keys = list(self._dirty)[:FRAME_LIMIT]
            self._last = {key: self._dirty.pop(key) for key in keys}
        self._not_before = now + self._interval_s
        self._alone_from = now + self._interval_s * _ALONE_AFTER
        return list(self._last.items())

    def deadline(self) -> float:
        """When `take` has something to give, whatever else is sent."""
        return self._alone_from if self._dirty else _NEVER

    def connection_lost(self) -> None:
        """The last frame may not have arrived."""
        self._dirty = {**self._last, **self._dirty}
        self._last = {}
