"""A token bucket: rules only; time comes in as monotonic seconds."""


class Bucket:
    """Tokens that fill up with time.

    Args:
        rate: tokens per second.
        burst: how many it holds.
        now: monotonic seconds; it starts full.
    """

    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at = now

    def take(self, now: float) -> float:
        """Take one token: 0 if there was one, else the seconds until there is."""
        tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if tokens >= 1.0:
            self._tokens = tokens - 1.0
            return 0.0
        self._tokens = tokens
        return (1.0 - tokens) / self._rate

    def put_back(self) -> None:
        """Undo one `take`."""
        self._tokens = min(self._burst, self._tokens + 1.0)

    def full(self, now: float) -> bool:
        """Whether it may be forgotten: a new one would say the same."""
        return self._tokens + (now - self._filled_at) * self._rate >= self._burst
