"""The latest entries of a large conversation, kept to fill gaps and to answer pulls: rules only."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RingEntry:
    """One entry as it was pushed."""

    seq: int
    ref_seq: int
    frame: bytes
    """A serialised ServerFrame with the message_push."""
    bare_frame: bytes

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return len(self.frame) + len(self.bare_frame)


class Ring:
    """A contiguous run of entries, newest last.

    Args:
        max_entries: how many.
        max_bytes: how large.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: deque[RingEntry] = deque()  # full: the oldest goes
        self.bytes = 0

    def add(self, entry: RingEntry) -> None:
        """Take the next entry; after a hole the ring starts anew, since it only holds what is whole."""
        if self._entries and entry.seq != self._entries[-1].seq + 1:
            self.clear()
        self._entries.append(entry)
        self.bytes += entry.size
        while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
            self.bytes -= self._entries.popleft().size

    def evict(self, seq: int) -> None:
        """An entry changed (edited, recalled): what is kept of it is no longer its present state."""
        if self._entries and self._entries[0].seq <= seq <= self._entries[-1].seq:
            while self._entries and self._entries[0].seq <= seq:
                self.bytes -= self._entries.popleft().size

    def range(self, from_seq: int, to_seq: int) -> Sequence[RingEntry] | None:
        """The entries from_seq to to_seq, or None where the ring does not hold all of them."""
        if not self._entries or from_seq < self._entries[0].seq or to_seq > self._entries[-1].seq:
            return None
        first = from_seq - self._entries[0].seq
        return [self._entries[index] for index in range(first, first + to_seq - from_seq + 1)]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.bytes = 0


class RingBudget:
    """All rings of a gateway together: the one that was quiet longest is emptied first.

    Args:
        max_bytes: of all rings.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rings: OrderedDict[int, Ring] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self.bytes = 0

    def touched(self, conversation_id: int, ring: Ring) -> None:
        """A ring changed: count it, and empty others where all together are too large."""
        self._rings[conversation_id] = ring
        self._rings.move_to_end(conversation_id)
        self.bytes += ring.bytes - self._sizes.get(conversation_id, 0)
        self._sizes[conversation_id] = ring.bytes
        while self.bytes > self._max_bytes and len(self._rings) > 1:
            oldest_id, oldest = self._rings.popitem(last=False)
            oldest.clear()
            self.bytes -= self._sizes.pop(oldest_id)

    def forget(self, conversation_id: int) -> None:
        """A conversation is of no interest any more."""
        self._rings.pop(conversation_id, None)
        self.bytes -= self._sizes.pop(conversation_id, 0)
