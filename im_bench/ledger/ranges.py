"""A set of whole numbers that fills up from below, kept as its ranges: cheap as long as it has few holes."""

from collections.abc import Iterator

Range = tuple[int, int]
"""First and last, both included."""


class Ranges:
    """Numbers above `start`, each once.

    Args:
        start: everything up to here counts as contained.
    """

    __slots__ = ("_beyond", "start", "upto")

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.upto = start
        """`start + 1` to `upto` are contained without a hole."""
        self._beyond: set[int] = set()

    def __contains__(self, number: int) -> bool:
        """Whether `number` was added, or lies below the start."""
        return number <= self.upto or number in self._beyond

    def __len__(self) -> int:
        """How many were added."""
        return self.upto - self.start + len(self._beyond)

    @property
    def whole(self) -> bool:
        """Whether there is no hole."""
        return not self._beyond

    def add(self, number: int) -> bool:
        """Add `number`; False when it was there."""
        if number == self.upto + 1:
            self.upto = number
            if self._beyond:
                self._close()
            return True
        if number in self:
            return False
        self._beyond.add(number)
        return True

    def _close(self) -> None:
        while self.upto + 1 in self._beyond:
            self.upto += 1
            self._beyond.remove(self.upto)

    def ranges(self) -> list[Range]:
        """What is contained above the start, ascending."""
        found: list[Range] = [(self.start + 1, self.upto)] if self.upto > self.start else []
        for number in sorted(self._beyond):
            if found and found[-1][1] == number - 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return found

    def lacking(self, wanted: list[Range]) -> list[int]:
        """The numbers of `wanted` that are not contained."""
        return [number for number in _above(wanted, self.upto) if number not in self._beyond]


def _above(ranges: list[Range], floor: int) -> Iterator[int]:
    for first, last in ranges:
        yield from range(max(first, floor + 1), last + 1)
