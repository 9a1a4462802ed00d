"""How long to wait before trying again."""

from typing import NamedTuple


class Backoff(NamedTuple):
    """Full jitter: a random wait below a ceiling that doubles, so that a crowd spreads from its first try on."""

    first_s: float
    """The ceiling of the first wait, in seconds."""
    max_s: float
    """No ceiling is higher, in seconds."""

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds to wait after `attempt` failures before this one; `chance` is random in [0, 1)."""
        return min(self.max_s, self.first_s * 2.0 ** min(attempt, 32)) * chance
