"""When a failed record is handed out again, and when it is given up: rules without I/O."""

from collections.abc import Sequence
from typing import TypeVar

from im_infra.bus.abstract import Record

_GROWTH = 5
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
    return first_ms / 1000 * float(_GROWTH ** (attempts - 1)) * (1 - jitter / 2)


def describe_error(error: BaseException) -> str:
    """An error as it is kept with a dead letter: for people, bounded."""
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _MAX_ERROR_CHARACTERS else text[: _MAX_ERROR_CHARACTERS - 1] + "…"
