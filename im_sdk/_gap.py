"""The gap rule: each entry of a log once, in order, whatever the network does with the pushes.

A `Track` is where a client stands in one conversation's log. Its cursor `seq` is the contiguous prefix that was given
to the application, never the highest seen. Entries go in as they come, and come out in order; what is missing is asked
for by whoever reads `gap()`. No time and no I/O: entries are opaque.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

Entry = TypeVar("Entry")

HELD_LIMIT: Final = 256
"""Entries kept ahead of a gap; the newer ones beyond are dropped and read with the gap."""
FRESH_PULL: Final = 100
"""Entries read of a conversation that is new here, or whose epoch changed."""


class Lost(NamedTuple):
    """A range that will not come."""

    from_seq: int
    to_seq: int


class Track(Generic[Entry]):
    """Where a client stands in one log.

    Args:
        epoch: the log's epoch as it is known here.
        seq: the contiguous prefix that was given to the application.
        fresh: nothing is known yet; the first read takes the newest entries and starts there.
    """

    __slots__ = ("changed", "epoch", "fresh", "held", "known_seq", "seq")

    def __init__(self, *, epoch: int = 0, seq: int = 0, fresh: bool = False) -> None:
        self.epoch = epoch
        self.seq = seq
        self.known_seq = seq
        self.fresh = fresh
        self.held: dict[int, Entry] = {}
        self.changed: dict[int, int] = {}

    def offer(self, seq: int, entry: Entry) -> Sequence[Entry]:
        """Take a pushed entry; give what is next in order: nothing, it alone, or it with those that waited for it."""
        if self.fresh or seq > self.seq + 1:
            self.known_seq = max(self.known_seq, seq)
            if len(self.held) < HELD_LIMIT:
                self.held[seq] = entry
            return ()
        if seq <= self.seq:
            return ()
        self.seq = seq
        if not self.held:
            self.known_seq = max(self.known_seq, seq)
            return (entry,)
        ready = [entry]
        self._take_held(ready)
        return ready

    def tell(self, max_seq: int) -> None:
        """The log is known to reach `max_seq`."""
        self.known_seq = max(self.known_seq, max_seq)

    @property
    def behind(self) -> bool:
        """Something is to be read."""
        return self.fresh or self.known_seq > self.seq

    def gap(self) -> tuple[int, int]:
        """The range to read next, both ends included; (0, 0): the newest FRESH_PULL entries.

        Only where `behind`.
        """
        if self.fresh:
            return 0, 0
        return self.seq + 1, min(self.held) - 1 if self.held else self.known_seq

    def skip_to(self, seq: int) -> Lost | None:
        """Leave out what lies between the cursor and `seq`; gives the range that was left out."""
        if self.fresh or seq <= self.seq:
            return None
        lost = Lost(self.seq + 1, seq)
        self.seq = seq
        self.held = {held_seq: entry for held_seq, entry in self.held.items() if held_seq > seq}
        return lost

    def fill(self, entries: Iterable[tuple[int, Entry]], *, end: int) -> list[Entry | Lost]:
        """Take the answer of a read that began right after the cursor.

        Args:
            entries: what it gave.
            end: it covers everything up to here: what it does not give up to here does not come at all.

        Returns:
            What is next in order, with a `Lost` for each hole.
        """
        pulled = dict(entries)
        for seq in [seq for seq in self.held if seq <= end]:
            held = self.held.pop(seq)
            pulled.setdefault(seq, held)  # the read's is newer: its present state
        ready: list[Entry | Lost] = []
        for seq in sorted(pulled):
            if seq <= self.seq:
                continue
            if seq > self.seq + 1:
                ready.append(Lost(self.seq + 1, seq - 1))
            ready.append(pulled[seq])
            self.seq = seq
        if end > self.seq:
            ready.append(Lost(self.seq + 1, end))
            self.seq = end
        self.known_seq = max(self.known_seq, self.seq)
        self._take_held(ready)
        return ready

    def start(self, entries: Sequence[tuple[int, Entry]], *, epoch: int, max_seq: int) -> list[Entry | Lost]:
        """Take the first read of a fresh track: the newest entries, which need no predecessors."""
        self.fresh = False
        self.epoch = epoch
        self.seq = min((seq for seq, _ in entries), default=max_seq + 1) - 1
        return self.fill(entries, end=max(max_seq, self.seq))

    def rewind(self, *, epoch: int, rewind_seq: int) -> bool:
        """The log was restored under a new epoch; gives whether entries above `rewind_seq` had been shown."""
        dropped = not self.fresh and self.seq > rewind_seq
        self.epoch = epoch
        self.seq = min(self.seq, rewind_seq)
        self.known_seq = self.seq
        self.held.clear()
        self.changed.clear()
        return dropped

    def note_change(self, seq: int, changed_seq: int) -> None:
        """The entry at `seq` was given in the state that the entry at `changed_seq` left it in."""
        if len(self.changed) >= HELD_LIMIT:
            self.changed = {target: change for target, change in self.changed.items() if change > self.seq}
        self.changed[seq] = changed_seq

    def is_news(self, ref_seq: int, seq: int) -> bool:
        """Whether the change at `seq` is newer than the state in which its target was given."""
        return not self.changed or self.changed.get(ref_seq, 0) < seq

    def _take_held(self, ready: list[Entry] | list[Entry | Lost]) -> None:
        while (entry := self.held.pop(self.seq + 1, None)) is not None:
            self.seq += 1
            ready.append(entry)
        self.known_seq = max(self.known_seq, self.seq)
