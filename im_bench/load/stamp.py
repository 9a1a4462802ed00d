"""What every message says of itself: the run, its sender, its number, and when it was meant to leave."""

from functools import lru_cache
from typing import NamedTuple

MICRO = 1_000_000


class Stamp(NamedTuple):
    """The head of a message's text."""

    run: str
    sender: int
    """The person's index in the run."""
    number: int
    """1, 2, 3 … in the lane of this sender in this conversation."""
    intended: float
    """`time.monotonic()` of this machine: all generator processes run on it and share its clock."""


def write_stamp(run: str, sender: int, number: int, intended: float, filler: str) -> str:
    """The text of a message."""
    return f"{run} {sender} {number} {int(intended * MICRO)} {filler}"


@lru_cache(maxsize=1)  # a message to a thousand members is read a thousand times in a row
def read_stamp(text: str, run: str) -> Stamp | None:
    """The stamp in a text; None where another run or somebody else wrote it."""
    if not text.startswith(run):
        return None
    parts = text.split(" ", 4)
    if len(parts) != 5 or parts[0] != run:
        return None
    return Stamp(run, int(parts[1]), int(parts[2]), int(parts[3]) / MICRO)
