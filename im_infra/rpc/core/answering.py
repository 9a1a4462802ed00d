"""Requests coming in: their deadlines, their answers, and the credit that each answer gives back."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core import failure
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError
from im_proto.rpc.v1 import frame_pb2

_NEVER: Final = float("inf")
_FAILURE_SIZE: Final = 64
"""About what a failure without detail takes on the wire, in bytes."""


class Asked(NamedTuple):
    """A request to start."""

    correlation_id: int
    deadline: float
    """Monotonic seconds of this process; the asker gives up then."""
    body: bytes


class Answering:
    """The requests open with us on one stream, and the answers not yet written.

    Credit goes out with the answers, one for one: a peer never has more than the window in here, open or answered but
    unwritten, which bounds both. A request past its deadline is answered DEADLINE_EXCEEDED here, so that a handler that
    never answers costs its peer no credit.
    """

    def __init__(self, *, window: int, max_body_bytes: int) -> None:
        self._granted = window
        self._ungranted = window
        self._max_body_bytes = max_body_bytes
        self._open: dict[int, float] = {}
        self._answers: deque[tuple[int, bytes, ImError | None]] = deque()
        self._earliest = _NEVER
        self.given = 0
        """Answers given so far."""
        self.written = 0
        """Answers written so far."""

    @property
    def sendable(self) -> bool:
        """Answers or credit are to be written."""
        return bool(self._answers) or self._ungranted > 0

    @property
    def idle(self) -> bool:
        """Every request was answered, and the answer written."""
        return not self._open and not self._answers

    def start(self, requests: Iterable[frame_pb2.Request], now: float) -> list[Asked]:
        """Take requests.

        Raises:
            ProtocolViolationError: more than the granted credit, or a correlation id that is open.
        """
        opened = self._open
        started: list[Asked] = []
        earliest = self._earliest
        for request in requests:
            number = request.correlation_id
            if number in opened:
                raise ProtocolViolationError(f"request {number} is open already")
            deadline = now + request.timeout_ms / 1000
            opened[number] = deadline
            if deadline < earliest:  # noqa: PLR1730 - min() costs more than the line below it
                earliest = deadline
            started.append(Asked(number, deadline, request.body))
        self._earliest = earliest
        self._granted -= len(started)
        if self._granted < 0:
            raise ProtocolViolationError("requests without credit")
        return started

    def refuse(self, requests: Iterable[frame_pb2.Request], now: float) -> None:
        """Answer requests NOT_STARTED."""
        for asked in self.start(requests, now):
            self.answer(asked.correlation_id, b"", NotStartedError())

    def answer(self, correlation_id: int, body: bytes, error: ImError | None = None) -> bool:
        """Give a request's answer; False: it has one already. A body too large to send becomes an INTERNAL failure."""
        if self._open.pop(correlation_id, None) is None:
            return False
        if len(body) > self._max_body_bytes:
            body, error = b"", ImError(error_table.INTERNAL, f"an answer of {len(body)} bytes cannot be sent")
        self._answers.append((correlation_id, body, error))
        self.given += 1
        return True

    def expire(self, now: float) -> bool:
        """Answer what is past its deadline; True: there was something."""
        if now < self._earliest:
            return False
        overdue = [number for number, deadline in self._open.items() if deadline <= now]
        for number in overdue:
            self.answer(number, b"", ImError(error_table.DEADLINE_EXCEEDED))
        self._earliest = min(self._open.values(), default=_NEVER)
        return bool(overdue)

    def fill(self, frame: frame_pb2.Frame, room: Limits) -> Limits:
        """Write answers, in the order they were given, and their credit into `frame`; returns the room left."""
        answers, add = self._answers, frame.answers.add
        left, before = room.size, self.written
        for _ in range(min(len(answers), room.items)):
            _, body, error = answers[0]
            size = len(body) if error is None else len(error.detail) + _FAILURE_SIZE
            if size > left and self.written != before:
                break
            number, body, error = answers.popleft()
            answer = add()
            answer.correlation_id = number
            if error is None:
                answer.body = body
            else:
                failure.write(error, answer.failure)
            left -= size
            self.written += 1
        written = self.written - before
        frame.credit = self._ungranted + written
        self._granted += written
        self._ungranted = 0
        return Limits(room.items - written, left)
