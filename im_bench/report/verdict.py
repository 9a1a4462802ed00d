"""How a run ended; also the exit code of `im bench`."""

from enum import IntEnum


class Verdict(IntEnum):
    """INCORRECT outweighs INVALID outweighs TARGET_MISSED."""

    GOOD = 0
    USAGE = 1
    INCORRECT = 2
    """Something was lost, doubled or out of order."""
    INVALID = 3
    """The generator was the bottleneck, or the run did not take place: its figures mean nothing."""
    TARGET_MISSED = 4

    @property
    def weight(self) -> int:
        """The heavier one of two verdicts is a run's."""
        return (Verdict.GOOD, Verdict.TARGET_MISSED, Verdict.INVALID, Verdict.INCORRECT, Verdict.USAGE).index(self)
