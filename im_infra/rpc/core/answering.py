"""Requests coming in: their deadlines, their answers, and the credit that each answer gives back."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core import failure
from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.limits import Limits
from im_infra.rpc.core.violation import ProtocolViolationError

_NEVER: Final = float("inf")
_AT_ONCE: Final = 256
"""Answers that nobody waits for and that wait no longer: a fraction of the credit that they hold back."""
_FAILURE_SIZE: Final = 64
"""About what a failure without detail takes on the wire, in bytes."""


class Asked(NamedTuple):
    """A request to start."""

    number: int
    deadline: float
    """Monotonic seconds of this process; the asker gives up then."""
    body: bytes


class Answering:
    """The requests open with us on one stream, and the answers not yet written.

    Credit goes out with the answers, one for one: a peer never has more than the window in here, open or answered but
    unwritten, which bounds both. A request past its deadline is answered DEADLINE_EXCEEDED here, so that a handler that
    never answers costs its peer no credit.

    An answer that nobody waits for goes with whatever else is written, or alone at the next tick: a frame of
    its own costs both sides more than the request did.
    """

    def __init__(self, *, window: int, max_body_bytes: int) -> None:
        self._granted = window
        self._ungranted = window
        self._max_body_bytes = max_body_bytes
        self._next_number = 1
        self._open: dict[int, float] = {}
        self._answers: list[tuple[int, bytes | Failure]] = []  # bounded by the window
        self._answer_bytes = 0
        self._earliest = _NEVER
        self._presses = False
        self.given = 0
        """Answers given so far."""
        self.written = 0
        """Answers written so far."""

    @property
    def sendable(self) -> bool:
        """Answers or credit are to be written."""
        return bool(self._answers) or self._ungranted > 0

    @property
    def presses(self) -> bool:
        """Some of it is not to wait for anything else to go with."""
        return self._presses or self._ungranted > 0

    @property
    def open(self) -> int:
        """Requests taken and not answered."""
        return len(self._open)

    @property
    def idle(self) -> bool:
        """Every request was answered, and the answer written."""
        return not self._open and not self._answers

    def start(self, first: int, requests: Iterable[tuple[int, bytes]], now: float) -> list[Asked]:
        """Take requests, numbered from `first` on.

        Raises:
            ProtocolViolationError: more than the granted credit, or not the number that follows.
        """
        number = self._next_number
        if first != number:
            raise ProtocolViolationError(f"request {first} where {number} follows")
        opened = self._open
        started: list[Asked] = []
        earliest = self._earliest
        for timeout_ms, body in requests:
            deadline = now + timeout_ms / 1000
            opened[number] = deadline
            if deadline < earliest:  # noqa: PLR1730 - min() costs more than the line below it
                earliest = deadline
            started.append(Asked(number, deadline, body))
            number += 1
        self._earliest = earliest
        self._next_number = number
        self._granted -= number - first
        if self._granted < 0:
            raise ProtocolViolationError("requests without credit")
        return started

    def refuse(self, first: int, requests: Iterable[tuple[int, bytes]], now: float) -> None:
        """Answer requests NOT_STARTED."""
        for asked in self.start(first, requests, now):
            self.answer(asked.number, b"", NotStartedError())

    def answer(self, number: int, body: bytes, error: ImError | None = None, *, along: bool = False) -> bool:
        """Give a request's answer; False: it has one already. A body too large to send becomes an INTERNAL failure.

        Args:
            number: the request's.
            body: of the answer.
            error: why there is none.
            along: nobody waits for it.
        """
        if self._open.pop(number, None) is None:
            return False
        if len(body) > self._max_body_bytes:
            error = ImError(error_table.INTERNAL, f"an answer of {len(body)} bytes cannot be sent")
        result = body if error is None else failure.write(error)
        self._answers.append((number, result))
        if not along or len(self._answers) >= _AT_ONCE:
            self._presses = True
        self._answer_bytes += _size(result)
        self.given += 1
        return True

    def tick(self, now: float) -> None:
        """Time passed: what lies here is not put off any more, and what is past its deadline is answered."""
        self._presses = bool(self._answers)
        if now >= self._earliest:
            self._expire(now)

    def _expire(self, now: float) -> None:
        for number in [number for number, deadline in self._open.items() if deadline <= now]:
            self.answer(number, b"", ImError(error_table.DEADLINE_EXCEEDED))
        self._earliest = min(self._open.values(), default=_NEVER)

    def fill(self, frame: Frame, room: Limits) -> Limits:
        """Write answers, in the order they were given, and their credit into `frame`; returns the room left."""
        answers = self._answers
        if len(answers) <= room.items and self._answer_bytes <= room.size:
            size = self._answer_bytes
            self._answers = []
        else:
            count, size = room.fitting((_size(result) for _, result in answers), alone=True)
            answers, self._answers = answers[:count], answers[count:]
        self._presses = bool(self._answers)
        self._answer_bytes -= size
        frame.answers = answers
        written = len(answers)
        self.written += written
        frame.credit = self._ungranted + written
        self._granted += written
        self._ungranted = 0
        return room.minus(written, size)


def _size(result: bytes | Failure) -> int:
    return len(result) if isinstance(result, bytes) else len(result.detail) + _FAILURE_SIZE
