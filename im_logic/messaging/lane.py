"""The order of one sender's entries in one conversation, from the checks to the stream to repo.

Entries leave without waiting for the commit of those before. Repo may send one back (its fence had moved, or its stream
broke before it was started); then everything behind it in its lane waits until all that is under way has been answered,
and goes out again in the old order. Two rules make that enough:

- an entry is sent only behind entries with the **same fence** (the deny_version they were decided under, and the stream
  they went to). Entries with one fence are judged alike and in order, so what follows a sent-back entry is sent back too;
  an entry with a newer fence could overtake it.
- nothing is sent while an earlier entry is held.
"""

from bisect import insort
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """What one sender has under way, and what is held back, in one conversation. Pure: events in, decisions out."""

    __slots__ = ("_fence", "_held", "in_flight", "stalled")

    def __init__(self) -> None:
        self.in_flight = 0
        self.stalled = 0
        """How many of the held wait for something of their own: a load, a delay. Counted by the owner."""
        self._fence: object = None
        self._held: list[tuple[int, T]] = []

    @property
    def empty(self) -> bool:
        """Nothing is under way or held: the lane may be forgotten."""
        return not self.in_flight and not self._held and not self.stalled

    @property
    def held(self) -> int:
        """How many entries are held."""
        return len(self._held)

    def must_wait(self, order: int) -> bool:
        """Whether an earlier entry is held, so that the entry of this order cannot go whatever its fence."""
        return bool(self._held) and self._held[0][0] < order

    def admit(self, order: int, fence: object) -> bool:
        """Whether the entry may be sent now; then it counts as under way."""
        if self.must_wait(order) or (self.in_flight and fence != self._fence):
            return False
        self._fence = fence
        self.in_flight += 1
        return True

    def hold(self, order: int, entry: T) -> None:
        """Keep an entry in its place until `release`."""
        insort(self._held, (order, entry), key=_order)

    def settle(self) -> None:
        """An entry under way was answered; one that was sent back is then held."""
        self.in_flight -= 1

    def withdraw(self, order: int) -> bool:
        """Take a held entry out, as it will not be sent; False if it is not held."""
        before = len(self._held)
        self._held = [held for held in self._held if held[0] != order]
        return len(self._held) < before

    def release(self) -> list[T]:
        """Once nothing is under way or stalled: all that is held, in order, to be decided anew; until then nothing."""
        if self.in_flight or self.stalled:
            return []
        held, self._held = self._held, []
        return [entry for _, entry in held]


def _order(held: tuple[int, object]) -> int:
    return held[0]
