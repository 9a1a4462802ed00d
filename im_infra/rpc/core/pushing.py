"""Pushes going out: numbered, bounded, and remembered until they are acknowledged."""

from collections import deque
from collections.abc import Callable

from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError
from im_proto.rpc.v1 import frame_pb2

OnAcknowledged = Callable[[], None]
"""Told once the push and all before it took effect at the other side; never, when the stream is lost before."""


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
        self._queue: deque[tuple[bytes, OnAcknowledged | None, int]] = deque()
        self._under_way: deque[tuple[int, OnAcknowledged | None]] = deque()
        self._written = 0
        self._acknowledged = 0

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

    def fill(self, frame: frame_pb2.Frame, room: Limits, answers_written: int) -> None:
        """Write pushes into `frame`, in their order, none before an answer that was given before it."""
        queue, pushes, under_way = self._queue, frame.pushes, self._under_way
        left, count = room.size, min(len(queue), room.items)
        bodies: list[bytes] = []
        while count:
            body, on_acknowledged, answers_before = queue[0]
            size = len(body)
            if answers_before > answers_written or (size > left and (bodies or frame.answers)):
                break
            queue.popleft()
            bodies.append(body)
            under_way.append((size, on_acknowledged))
            left -= size
            count -= 1
        if bodies:
            frame.first_push = self._written + 1
            self._written += len(bodies)
            pushes.extend(bodies)

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
