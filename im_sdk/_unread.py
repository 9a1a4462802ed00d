"""The unread rule: how many are unread, from what the server counted and what came since. No time and no I/O.

The server's count is exact for a moment of the log. Entries above that moment are counted here, each by its seq, so
that a read, a recall or an older count coming late moves exactly those it concerns. What cannot be known here (a read
into the middle of what the server counted, a recall of something it counted) leaves the number unsettled: the server
is asked, and says it for a moment that is late enough.
"""

from collections import deque
from typing import Final

UNREAD_LIMIT: Final = 100
"""Shown as "99+"."""


class Unread:
    """What is unread of one conversation."""

    __slots__ = ("_above", "_counted", "_counted_seq", "_recall_seq", "_told_read_seq", "read_seq", "settles_at")

    def __init__(self) -> None:
        self.read_seq = 0
        """All up to here is read."""
        self._counted = 0
        self._counted_seq = 0
        """The moment of the server's count: the head of the log then."""
        self._above: deque[int] = deque(maxlen=UNREAD_LIMIT)
        """Unread entries above that moment, ascending; where there are more, the newest: it is "99+" then anyway."""
        self._recall_seq = 0
        """The newest recall: a count of an earlier moment, told later, may have in it what was taken back."""
        self._told_read_seq = 0
        self.settles_at = 0
        """The count is from before something that only the server can count; it says it at this head or later. 0: it is right."""

    @property
    def count(self) -> int:
        """Exact up to 99; 100 means "99+"."""
        return min(UNREAD_LIMIT, self._counted + len(self._above))

    @property
    def settled(self) -> bool:
        """False: the server has to be asked."""
        return not self.settles_at

    def restore(self, *, count: int, max_seq: int, read_seq: int, settled: bool) -> None:
        """Go on from what a store kept."""
        self._counted, self._counted_seq, self.read_seq = count, max_seq, read_seq
        self._told_read_seq = read_seq
        self.settles_at = 0 if settled else max(1, max_seq)

    def told(self, count: int, *, max_seq: int, read_seq: int) -> None:
        """The server counted.

        Args:
            count: how many were unread.
            max_seq: the head of the log then.
            read_seq: the read cursor then.
        """
        self._told_read_seq = max(self._told_read_seq, read_seq)
        if read_seq < self.read_seq or max_seq < self._counted_seq:
            return  # of an older moment than what is known here
        self._counted, self._counted_seq, self.read_seq = count, max_seq, read_seq
        self._drop_up_to(max(max_seq, read_seq))
        if count and max_seq < self._recall_seq:
            self.settles_at = max(self.settles_at, self._recall_seq)
        if max_seq >= self.settles_at:
            self.settles_at = 0

    def came(self, seq: int) -> None:
        """Somebody else's message was given to the application, in its order and not recalled."""
        if seq > self._counted_seq and seq > self.read_seq:
            self._above.append(seq)

    def missed(self, to_seq: int) -> None:
        """Entries up to here were left out; how many of them count is not known."""
        if to_seq > self._counted_seq and to_seq > self.read_seq:
            self.settles_at = max(self.settles_at, to_seq)

    def recalled(self, target_seq: int, seq: int) -> None:
        """The entry at `seq` takes the one at `target_seq` back."""
        if target_seq > self.read_seq:
            self._recall_seq = max(self._recall_seq, seq)
        if target_seq > self._counted_seq:
            if target_seq in self._above:
                self._above.remove(target_seq)
        elif self._counted and target_seq > self.read_seq and seq > self._counted_seq:
            self.settles_at = max(self.settles_at, seq)

    def read(self, seq: int) -> None:
        """Read up to here, on whichever device."""
        if seq <= self.read_seq:
            return
        self.read_seq = seq
        self._drop_up_to(seq)
        if seq >= self._counted_seq:
            self._counted = 0
            if seq >= self.settles_at:
                self.settles_at = 0
        elif self._counted:
            self.settles_at = max(self.settles_at, self._counted_seq)

    def unread_again(self) -> None:
        """A read that was shown already did not reach the server: its own cursor is right."""
        self.read_seq = min(self.read_seq, self._told_read_seq)
        self.settles_at = max(self.settles_at, self._counted_seq, 1)

    def mark(self, added: int, *, max_seq: int) -> None:
        """A large conversation moved to `max_seq` while it was not on screen, by so many messages."""
        self._counted = min(UNREAD_LIMIT, self.count + added)
        self._counted_seq = max_seq
        self._above.clear()

    def rewind(self, *, read_seq: int) -> None:
        """The log was restored to an earlier state; a count of the new one follows."""
        self._counted = self._counted_seq = self._recall_seq = self.settles_at = 0
        self._above.clear()
        self.read_seq = min(self.read_seq, read_seq)
        self._told_read_seq = min(self._told_read_seq, read_seq)

    def _drop_up_to(self, seq: int) -> None:
        while self._above and self._above[0] <= seq:
            self._above.popleft()
