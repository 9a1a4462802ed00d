"""One bucket per address, kept only while it is not full."""

from im_gateway.limits.bucket import Bucket


class AddressBuckets:
    """Buckets by address.

    Args:
        rate: tokens per second and address.
        burst: how many an address may take at once.
        max_addresses: bound of the table; above it full buckets are forgotten, and if none is, the oldest.
    """

    def __init__(self, rate: float, burst: float, *, max_addresses: int = 100_000) -> None:
        self._rate = rate
        self._burst = burst
        self._max_addresses = max_addresses
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)

    def take(self, address: str, now: float) -> float:
        """Take one token of an address: 0 if there was one, else the seconds until there is."""
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= self._max_addresses:
                self._make_room(now)
            bucket = self._buckets[address] = Bucket(self._rate, self._burst, now)
        return bucket.take(now)

    def put_back(self, address: str) -> None:
        """Undo one `take`."""
        bucket = self._buckets.get(address)
        if bucket is not None:
            bucket.put_back()

    def forget_full(self, now: float) -> None:
        """Drop what a fresh bucket would not differ from."""
        self._buckets = {address: bucket for address, bucket in self._buckets.items() if not bucket.full(now)}

    def _make_room(self, now: float) -> None:
        self.forget_full(now)
        if len(self._buckets) >= self._max_addresses:
            self._buckets.pop(next(iter(self._buckets)))
