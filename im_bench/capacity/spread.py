"""A figure that was measured several times."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several runs."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)

    def __str__(self) -> str:
        median, least, most = short(self.median), short(self.least), short(self.most)
        return median if least == most else f"{median} [{least} to {most}]"


def short(value: float) -> str:
    """A figure as people read it."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
