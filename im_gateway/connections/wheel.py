"""A timing wheel: one set of things per second instead of a timer per connection."""

import math
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class OnWheel(Protocol):
    """What can lie on a wheel: it remembers its slot."""

    slot: int
    """Index of its slot, -1: on none."""


T = TypeVar("T", bound=OnWheel)


class Wheel(Generic[T]):
    """Things to be looked at in some whole second.

    A due time beyond the wheel's span lands in its last slot and is looked at too early; whoever looks decides anew.

    Args:
        now: monotonic seconds.
        slots: the span, in seconds.
    """

    def __init__(self, now: float, slots: int = 128) -> None:
        self._slots: list[set[T]] = [set() for _ in range(slots)]
        self._second = math.floor(now)

    def __len__(self) -> int:
        """How many lie on it."""
        return sum(map(len, self._slots))

    def put(self, thing: T, due: float) -> None:
        """Lay `thing` where it is looked at in the second after `due`, taking it from where it lay."""
        self.remove(thing)
        second = min(max(math.ceil(due), self._second + 1), self._second + len(self._slots) - 1)
        thing.slot = second % len(self._slots)
        self._slots[thing.slot].add(thing)

    def remove(self, thing: T) -> None:
        """Take it off, if it is on."""
        if thing.slot >= 0:
            self._slots[thing.slot].discard(thing)
            thing.slot = -1

    def turn(self, now: float) -> Iterable[T]:
        """Everything due by `now`, taken off; whoever looks at one lays it back if it lives on."""
        due: list[T] = []
        while self._second < math.floor(now):
            self._second += 1
            index = self._second % len(self._slots)
            if self._slots[index]:
                due.extend(self._slots[index])
                self._slots[index] = set()
        for thing in due:
            thing.slot = -1
        return due
