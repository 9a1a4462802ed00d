"""When a failed record is handed out again, and when it is given up: rules without I/O."""

from collections.abc import Sequence
from typing import TypeVar

from im_infra.bus.abstract import Record
from im_infra.bus.settings import BusSettings
from im_infra.error_kind import Kind
from im_infra.errors import ImError

_GROWTH = 5
_LONGEST_WAIT_MS = 5_000
_MAX_ERROR_CHARACTERS = 1_000

R = TypeVar("R", bound=Record)


def next_stretch(due: Sequence[R]) -> Sequence[R]:
    """What to hand out next of the records that are due, in their order.

    Fresh records go together. One that was handed out before goes alone, so that a poisonous one takes nobody with it.
    """
    if due and due[0].attempts > 0:
        return due[:1]
    for index, record in enumerate(due):
        if record.attempts > 0:
            return due[:index]
    return due


def backoff_s(attempts: int, *, first_ms: int, jitter: float) -> float:
    """Seconds to wait after `attempts` tries have failed.

    Args:
        attempts: at least 1.
        first_ms: the wait after the first, milliseconds.
        jitter: 0 to 1; takes off up to half, so that what failed together is not tried together.
    """
    grown_ms: int = first_ms * _GROWTH ** (min(attempts, 10) - 1)
    return min(grown_ms, max(first_ms, _LONGEST_WAIT_MS)) / 1000 * (1 - jitter / 2)


def is_away(error: BaseException) -> bool:
    """Whether it says that something a record needs is away or busy, which is no fault of the record."""
    return isinstance(error, ImError) and error.kind in {Kind.UNAVAILABLE, Kind.EXHAUSTED}


class Patience:
    """How often one record, or one batch, is tried.

    An error of its own counts: `max_tries` of them are the end. What it needs being away is waited out for `patience_s`, since
    whatever comes next would fail likewise.

    Args:
        settings: tries and waits.
        attempts: how often it was handed out before, and failed.
    """

    def __init__(self, settings: BusSettings, *, attempts: int = 0) -> None:
        self._settings = settings
        self._failures = attempts
        self._waits = 0
        self._waited_s = 0.0
        self.attempts = attempts
        """How often it was handed out, and failed."""

    def ends(self, error: BaseException) -> bool:
        """It failed once more; True: that was the last try."""
        self.attempts += 1
        self._waits += 1
        if is_away(error):
            return self._waited_s >= self._settings.patience_s
        self._failures += 1
        return self._failures >= self._settings.max_tries

    def wait_s(self, jitter: float) -> float:
        """Seconds until the next try; `jitter` as for `backoff_s`."""
        wait_s = backoff_s(self._waits, first_ms=self._settings.first_backoff_ms, jitter=jitter)
        self._waited_s += wait_s
        return wait_s


def describe_error(error: BaseException) -> str:
    """An error as it is kept with a dead letter: for people, bounded."""
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _MAX_ERROR_CHARACTERS else text[: _MAX_ERROR_CHARACTERS - 1] + "…"
