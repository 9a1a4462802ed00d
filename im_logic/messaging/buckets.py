"""Token buckets by the virtual scheduling form: one number per key, no refill timer."""

from typing import Final

_DEFAULT_KEYS: Final = 100_000


class Buckets:
    """A bucket per key that lets `burst` pass at once and `rate_per_s` in the long run.

    Args:
        rate_per_s: tokens a second.
        burst: tokens of a full bucket.
        max_keys: when so many keys are known, those whose buckets are full again are forgotten; are there none, all
            are: a forgotten bucket is a full one, so the worst is one burst too many.
    """

    def __init__(self, *, rate_per_s: float, burst: int, max_keys: int = _DEFAULT_KEYS) -> None:
        self._cost_s = 1.0 / rate_per_s
        self._slack_s = (burst - 1) * self._cost_s
        self._max_keys = max_keys
        self._full_at: dict[int, float] = {}

    def take(self, key: int, now: float) -> float:
        """Take a token at monotonic `now`; 0.0 when there was one, else the seconds until there is."""
        full_at = self._full_at.get(key, 0.0)
        if full_at <= now:
            if len(self._full_at) >= self._max_keys and key not in self._full_at:
                self._forget(now)
            self._full_at[key] = now + self._cost_s
            return 0.0
        wait = full_at - now - self._slack_s
        if wait > 1e-9:
            return wait
        self._full_at[key] = full_at + self._cost_s
        return 0.0

    def give_back(self, key: int) -> None:
        """Return a token that was taken for nothing."""
        if key in self._full_at:
            self._full_at[key] -= self._cost_s

    def _forget(self, now: float) -> None:
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if len(self._full_at) >= self._max_keys:
            self._full_at.clear()
