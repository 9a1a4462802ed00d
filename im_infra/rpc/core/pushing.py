"""Pushes going out: numbered, bounded, and remembered until they are acknowledged."""

from collections import deque
from collections.abc import Callable
from itertools import takewhile

from im_infra.rpc.core.frame import Frame
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError

OnAcknowledged = Callable[[], None]
"""Told once the push and all before it took effect at the other side; never, when the stream is lost before."""

_Queued = tuple[bytes, OnAcknowledged | None, int]


class Pushing:
    """The pushes of one stream that are not acknowledged yet; when full, the caller is told and decides.

    Args:
        max_pushes: unacknowledged pushes, in items.
        max_bytes: unacknowledged pushes, in bytes.
    """

    def __init__(self, *, max_pushes: int, max_bytes: int) -> None:
        self._max_pushes = max_pushes
        self._max_bytes = max_bytes
        self._bytes = 0
        self._queue: list[_Queued] = []  # with those under way bounded by `push`
        self._under_way: deque[tuple[int, OnAcknowledged | None]] = deque()
        self._written = 0
        self._acknowledged = 0

    @property
    def unacknowledged(self) -> int:
        """Pushes queued or written that are not acknowledged."""
        return len(self._queue) + len(self._under_way)

    @property
    def idle(self) -> bool:
        """Every push was acknowledged."""
        return not self._queue and not self._under_way

    @property
    def waiting(self) -> bool:
        """There are pushes to write."""
        return bool(self._queue)

    def push(self, body: bytes, on_acknowledged: OnAcknowledged | None, answers_before: int) -> bool:
        """Queue a push behind the first `answers_before` answers; False: full, nothing queued."""
        size = self._bytes + len(body)
        if size > self._max_bytes or len(self._queue) + len(self._under_way) >= self._max_pushes:
            return False
        self._bytes = size
        self._queue.append((body, on_acknowledged, answers_before))
        return True

    def fill(self, frame: Frame, room: Limits, answers_written: int) -> None:
        """Write pushes that wait into `frame`, in their order, none before an answer that was given before it."""
        taken = self._take(room, answers_written, alone=not frame.answers)
        if not taken:
            return
        self._under_way.extend([(len(body), on_acknowledged) for body, on_acknowledged, _ in taken])
        frame.pushes = [body for body, _, _ in taken]
        frame.first_push = self._written + 1
        self._written += len(taken)

    def _take(self, room: Limits, answers_written: int, *, alone: bool) -> list[_Queued]:
        queue = self._queue
        # What all unacknowledged pushes take together is at hand, and usually small enough already.
        if len(queue) <= room.items and self._bytes <= room.size and queue[-1][2] <= answers_written:
            self._queue = []
            return queue
        sizes = (len(body) for body, _, _ in takewhile(lambda queued: queued[2] <= answers_written, queue))
        count, _ = room.fitting(sizes, alone=alone)
        taken, self._queue = queue[:count], queue[count:]
        return taken

    def acknowledge(self, number: int) -> list[OnAcknowledged]:
        """Pushes up to `number` took effect; returns whom to tell, in their order.

        Raises:
            ProtocolViolationError: it goes back, or acknowledges what was never written.
        """
        if not self._acknowledged <= number <= self._written:
            raise ProtocolViolationError(
                f"push {number} acknowledged, {self._acknowledged} before, {self._written} written"
            )
        told: list[OnAcknowledged] = []
        take = self._under_way.popleft
        for _ in range(number - self._acknowledged):
            size, on_acknowledged = take()
            self._bytes -= size
            if on_acknowledged is not None:
                told.append(on_acknowledged)
        self._acknowledged = number
        return told
