"""Progress on long work in a log, where nobody sees a bar."""

from typing import Final

from rich.console import Console

EVERY: Final = 1_000
"""Of what is done one by one: at some seventy accounts a second a line in 15 s."""


class Milestones:
    """Tells each thousand that is done; in a terminal nothing, as a bar is shown there.

    Args:
        console: where.
        label: what is being done.
    """

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._label = label
        self._next = EVERY

    def reached(self, done: int, total: int) -> None:
        """So much of so much is done; the whole is not told, since what comes next says it."""
        if self._next <= done < total:
            self._next = (done // EVERY + 1) * EVERY
            if not self._console.is_terminal:
                self._console.print(f"{self._label}: {done:,} of {total:,}", highlight=False)
