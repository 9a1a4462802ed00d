"""Requests going out: numbering, credit, correlation, deadlines, and what becomes of them when the stream is lost."""

from collections.abc import Callable, Iterable
from typing import Final

from im_infra import error_table
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.core import failure
from im_infra.rpc.core.frame import Failure, Frame
from im_infra.rpc.core.limits import Limits

OnAnswer = Callable[[bytes | None, ImError | None], None]
"""Told exactly once: a body or an error, never both."""

Answered = tuple[OnAnswer, bytes | None, ImError | None]
"""Whom to tell what. The core never calls back itself."""

_NEVER: Final = float("inf")


class Asking:
    """The requests of one stream, from the call until their answer.

    A request waits for credit and for its frame, then it is open until its answer, its deadline or the stream's end.
    Each that was taken comes out exactly once, as one `Answered`.

    Args:
        max_waiting: requests that may wait beyond the present credit.
        max_waiting_bytes: bytes of bodies that may wait, once credit is used up.
    """

    def __init__(self, *, max_waiting: int, max_waiting_bytes: int) -> None:
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._credit = 0
        self._next_number = 1
        self._waiting: list[tuple[bytes, OnAnswer, float]] = []  # bounded by `ask`
        self._waiting_bytes = 0
        self._open: dict[int, tuple[OnAnswer, float]] = {}
        self._earliest = _NEVER
        """No deadline is earlier; looking at them all is put off until then."""

    @property
    def sendable(self) -> bool:
        """A request and the credit for it are there."""
        return self._credit > 0 and bool(self._waiting)

    @property
    def waiting(self) -> int:
        """Requests that wait for credit or for their frame."""
        return len(self._waiting)

    @property
    def open(self) -> int:
        """Requests written and not answered."""
        return len(self._open)

    @property
    def credit(self) -> int:
        """Requests that the peer would take at once."""
        return self._credit

    def is_open(self, number: int) -> bool:
        """Whether the request of that number was written and waits for its answer."""
        return number in self._open

    @property
    def unanswered(self) -> int:
        """Requests that still have to come out."""
        return len(self._waiting) + len(self._open)

    def ask(self, body: bytes, on_answer: OnAnswer, deadline: float) -> bool:
        """Take a request; False: too many wait for credit, and nothing was taken."""
        waiting = self._waiting
        beyond = len(waiting) - self._credit
        if beyond >= 0 and (beyond >= self._max_waiting or self._waiting_bytes >= self._max_waiting_bytes):
            return False
        waiting.append((body, on_answer, deadline))
        self._waiting_bytes += len(body)
        if deadline < self._earliest:  # noqa: PLR1730 - min() costs as much as the rest of this function
            self._earliest = deadline
        return True

    def grant(self, credit: int) -> None:
        """So many more may be written."""
        self._credit += credit

    def fill(self, frame: Frame, room: Limits, now: float) -> None:
        """Write waiting requests into `frame`, in the order they were asked; they count as written from here on."""
        number = frame.first_request = self._next_number
        opened = self._open
        frame.requests = requests = []
        for body, on_answer, deadline in self._take(room):
            opened[number] = (on_answer, deadline)
            number += 1
            left_ms = int((deadline - now) * 1000)
            requests.append((left_ms if left_ms > 0 else 1, body))
        self._credit -= number - self._next_number
        self._next_number = number

    def _take(self, room: Limits) -> list[tuple[bytes, OnAnswer, float]]:
        waiting = self._waiting
        if len(waiting) <= room.items and len(waiting) <= self._credit and self._waiting_bytes <= room.size:
            self._waiting, self._waiting_bytes = [], 0
            return waiting
        room = room._replace(items=min(room.items, self._credit))
        count, size = room.fitting((len(body) for body, _, _ in waiting), alone=True)
        taken = waiting[:count]
        del waiting[:count]
        self._waiting_bytes -= size
        return taken

    def answered(self, answers: Iterable[tuple[int, bytes | Failure]]) -> list[Answered]:
        """Match answers; one that comes after its deadline belongs to nobody any more."""
        found: list[Answered] = []
        take = self._open.pop
        for number, result in answers:
            entry = take(number, None)
            if entry is None:
                continue
            if isinstance(result, bytes):
                found.append((entry[0], result, None))
            else:
                found.append((entry[0], None, failure.read(result)))
        return found

    def expire(self, now: float) -> list[Answered]:
        """Those whose deadline has passed; written or not, there is no time left."""
        if now < self._earliest:
            return []
        overdue = [number for number, (_, deadline) in self._open.items() if deadline <= now]
        expired = [self._open.pop(number)[0] for number in overdue]
        kept = [entry for entry in self._waiting if entry[2] > now]
        expired += [on_answer for _, on_answer, deadline in self._waiting if deadline <= now]
        self._waiting = kept
        self._waiting_bytes = sum(len(body) for body, _, _ in kept)
        deadlines = [deadline for _, deadline in self._open.values()]
        self._earliest = min((*deadlines, *(deadline for _, _, deadline in kept)), default=_NEVER)
        return [(on_answer, None, ImError(error_table.DEADLINE_EXCEEDED)) for on_answer in expired]

    def refuse_waiting(self) -> list[Answered]:
        """Give up those that were never written: they may go elsewhere at once."""
        refused: list[Answered] = [(on_answer, None, NotStartedError()) for _, on_answer, _ in self._waiting]
        self._waiting, self._waiting_bytes = [], 0
        return refused

    def lose(self) -> list[Answered]:
        """The stream is gone: what was written has an unknown outcome, the rest never started."""
        lost: list[Answered] = [
            (on_answer, None, ImError(error_table.UNAVAILABLE, "the stream was lost; the outcome is unknown"))
            for on_answer, _ in self._open.values()
        ]
        self._open.clear()
        return lost + self.refuse_waiting()
