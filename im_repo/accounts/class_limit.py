"""How many sessions of a class a user may have: a rule over plain values."""

from collections.abc import Sequence
from typing import TypeVar

Session = TypeVar("Session")


def displaced_by_new(rivals: Sequence[Session], *, class_limit: int) -> Sequence[Session]:
    """Which sessions make room for a new one.

    Args:
        rivals: the live ones of the same class, oldest first.
        class_limit: at most so many with the new one; 0: no limit.
    """
    if class_limit == 0:
        return []
    return rivals[: max(0, len(rivals) + 1 - class_limit)]
