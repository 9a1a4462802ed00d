"""Merging cursor moves of one user in one conversation: only the greatest matters."""

from collections.abc import Iterator
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

W = TypeVar("W")


class Move(NamedTuple):
    """A cursor's move."""

    user_id: int
    conversation_id: int
    seq: int


class Merge(Generic[W]):
    """Moves that wait for the next flush, with whoever waits for each.

    Args:
        max_moves: keys at most; a move of another key is then not taken.
    """

    def __init__(self, max_moves: int) -> None:
        self._max_moves = max_moves
        self._seqs: dict[tuple[int, int], int] = {}
        self._waiting: dict[tuple[int, int], list[W]] = {}

    def __len__(self) -> int:
        return len(self._seqs)

    def add(self, move: Move, waiter: W | None = None) -> bool:
        """Take a move; False: full, it was not taken."""
        key = (move.user_id, move.conversation_id)
        seq = self._seqs.get(key)
        if seq is None and len(self._seqs) >= self._max_moves:
            return False
        if seq is None or seq < move.seq:
            self._seqs[key] = move.seq
        if waiter is not None:
            self._waiting.setdefault(key, []).append(waiter)
        return True

    def batches(self, size: int) -> Iterator[list[Move]]:
        """What gathered, in portions, sorted by conversation and user so that locks are taken in one order."""
        moves = iter(sorted(self._seqs.items(), key=lambda item: (item[0][1], item[0][0])))
        while some := [Move(user_id, conversation_id, seq) for (user_id, conversation_id), seq in islice(moves, size)]:
            yield some

    def waiters(self, move: Move) -> list[W]:
        """Who waits for a move."""
        return self._waiting.get((move.user_id, move.conversation_id), [])
