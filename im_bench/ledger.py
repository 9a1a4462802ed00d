"""What was sent, acked and seen, and what that proves.

Every message says which lane it belongs to and its number there: 1, 2, 3 … A lane is one sender in one conversation,
so a receiver can tell a duplicate, a hole and a swap from the numbers alone.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Lane:
    """One sender in one conversation, as seen by one receiver."""

    sent: int = 0
    """Messages 1 to `sent` left."""
    acked: set[int] = field(default_factory=set)
    """Acked and not yet seen; seen ones leave the set, so that it stays small."""
    seen_upto: int = 0
    """1 to `seen_upto` were seen, each once."""
    seen_beyond: set[int] = field(default_factory=set)
    acked_total: int = 0
    seen_total: int = 0

    def ack(self, number: int) -> None:
        """Message `number` was acked."""
        self.acked_total += 1
        if number > self.seen_upto and number not in self.seen_beyond:
            self.acked.add(number)

    def see(self, number: int) -> str:
        """Message `number` was pushed: what that says (`ok`, `duplicate`, `out_of_order`, `gap`)."""
        if number <= self.seen_upto or number in self.seen_beyond:
            return "duplicate"
        self.seen_total += 1
        self.acked.discard(number)
        if number == self.seen_upto + 1:
            self.seen_upto = number
            while self.seen_upto + 1 in self.seen_beyond:
                self.seen_upto += 1
                self.seen_beyond.discard(self.seen_upto)
            return "ok"
        verdict = "out_of_order" if self.seen_beyond and number < max(self.seen_beyond) else "gap"
        self.seen_beyond.add(number)
        return verdict


@dataclass(slots=True)
class Correctness:
    """The counts of a run. A duplicate is a message that has two places in a log, so that people would see it twice."""

    lost: int = 0
    """Acked, and neither pushed nor in the history that was read at the end."""
    duplicate: int = 0
    out_of_order: int = 0
    gap: int = 0
    """Numbers that were skipped at first; those that came later are also out of order."""
    resync: int = 0
    """Times the server told a client that it fell behind."""
    unknown: int = 0
    """Sends without an answer by the end: never counted as lost."""
    repeat: int = 0
    """Entries pushed again under their seq: the outbox may, and every client drops them unseen."""

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or out of order."""
        return not (self.lost or self.duplicate or self.out_of_order)

    def count(self, verdict: str) -> None:
        """Add what `Lane.see` said."""
        if verdict == "duplicate":
            self.duplicate += 1
        elif verdict == "out_of_order":
            self.out_of_order += 1
        elif verdict == "gap":
            self.gap += 1


class SeenSeqs:
    """The entries that one connection was pushed, to tell a repeat on the wire from a message stored twice."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()  # grows with the run, as its length is bounded

    def repeats(self, conversation_id: int, seq: int) -> bool:
        """Whether this entry came before; it is noted."""
        entry = (conversation_id, seq)
        if entry in self._seen:
            return True
        self._seen.add(entry)
        return False
