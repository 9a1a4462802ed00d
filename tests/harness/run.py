"""What a run under faults did and left behind."""

from dataclasses import dataclass

from tests.harness import checkers
from tests.harness.checkers import Row
from tests.harness.history import History


@dataclass(slots=True)
class Run:
    """A history, and the logs that are there in the end."""

    history: History
    stored: dict[int, list[Row]]
    """From the database itself."""
    read: list[dict[int, list[Row]]]
    """By each member, over the public API."""
    follows: dict[str, set[int]]
    """What each device must have shown in the end."""

    def violations(self) -> list[str]:
        """Every promise that was broken, in words."""
        happened, logs = self.history.happenings, self.stored
        return [
            *self.lost(),
            *checkers.doubled(logs),
            *checkers.never_sent(happened, logs),
            *checkers.refused_and_stored(happened, logs),
            *checkers.unresolved(happened),
            *checkers.holes(logs),
            *checkers.out_of_order(happened, logs),
            *self.shown_twice(),
            *checkers.shown_out_of_order(happened),
            *checkers.not_shown(happened, logs, self.follows),
            *checkers.told_lost(happened),
            *(wrong for read in self.read for wrong in checkers.different(read, {log: logs[log] for log in read})),
        ]

    def lost(self) -> list[str]:
        """Acked, and not there."""
        return checkers.lost(self.history.happenings, self.stored)

    def shown_twice(self) -> list[str]:
        """Seen twice on one screen."""
        return checkers.shown_twice(self.history.happenings)
