"""What a run proved, as counts."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Correctness:
    """The counts of a run. `lost`, `unstored`, `duplicate` and `out_of_order` are faults; the rest is told."""

    lost: int = 0
    """Acked, and neither pushed nor in the history that was re-read at the end: one per receiver and message."""
    unstored: int = 0
    """Acked and pushed, and not in the history that was re-read: somebody who was away will never see it."""
    duplicate: int = 0
    """A message with two places in a log: people would see it twice."""
    out_of_order: int = 0
    """A message behind a later one of its sender, on the wire or in the log."""
    gap: int = 0
    """Times that numbers were skipped at first."""
    late: int = 0
    """Skipped, and pushed after every client would have pulled it: nobody saw it out of order."""
    resync: int = 0
    """Times the server told a client that it fell behind."""
    unknown: int = 0
    """Sends without an answer by the end: never counted as lost."""
    repeat: int = 0
    """Entries pushed again under their seq: the outbox may, and every client drops them unseen."""

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or out of order."""
        return not (self.lost or self.unstored or self.duplicate or self.out_of_order)

    def add(self, other: "Correctness") -> None:
        """Add another process's counts."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
