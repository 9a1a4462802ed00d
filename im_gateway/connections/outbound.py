"""What waits to be written to one connection: rules only."""


class Outbound:
    """A queue of encoded frames, bounded.

    Answers and pushes keep their order. Pushes are bounded by number and bytes: over it all waiting pushes are dropped
    and the connection lags, until everything was written once. Answers are never dropped; what bounds them is that a
    connection with too many stops being read.

    Args:
        max_pushes: pushes that may wait.
        max_push_bytes: bytes of pushes that may wait.
    """

    __slots__ = (
        "_chunks",
        "_is_push",
        "_max_push_bytes",
        "_max_pushes",
        "_push_bytes",
        "_pushes",
        "bytes",
        "dropped",
        "lagged_at",
    )

    def __init__(self, max_pushes: int, max_push_bytes: int) -> None:
        self._max_pushes = max_pushes
        self._max_push_bytes = max_push_bytes
        self._chunks: list[bytes] = []  # pushes: bounded, dropped when full; answers: bounded by open requests
        self._is_push = bytearray()
        self._pushes = 0
        self._push_bytes = 0
        self.bytes = 0
        """Bytes waiting, pushes and answers."""
        self.dropped = 0
        """Pushes dropped since the client was last told."""
        self.lagged_at: float | None = None
        """Monotonic seconds since which it lags; None: it does not."""

    def __len__(self) -> int:
        """Frames waiting."""
        return len(self._chunks)

    def answer(self, chunk: bytes) -> None:
        """Queue an answer, or something else that must not be lost."""
        self._chunks.append(chunk)
        self._is_push.append(0)
        self.bytes += len(chunk)

    def answer_first(self, chunk: bytes) -> None:
        """Put an answer before everything that waits."""
        self._chunks.insert(0, chunk)
        self._is_push.insert(0, 0)
        self.bytes += len(chunk)

    @property
    def answer_bytes(self) -> int:
        """Bytes of waiting answers."""
        return self.bytes - self._push_bytes

    def push(self, chunk: bytes, now: float) -> bool:
        """Queue a push; False: it was dropped, and with it every push that waited."""
        if self.lagged_at is not None:
            self.dropped += 1
            return False
        size = len(chunk)
        if self._pushes >= self._max_pushes or self._push_bytes + size > self._max_push_bytes:
            self.drop_pushes()
            self.dropped += 1
            self.lagged_at = now
            return False
        self._chunks.append(chunk)
        self._is_push.append(1)
        self._pushes += 1
        self._push_bytes += size
        self.bytes += size
        return True

    def push_ephemeral(self, chunk: bytes, now: float) -> bool:
        """Queue a push that nobody misses; False: there was no room, nothing else was dropped for it."""
        full = self._pushes >= self._max_pushes or self._push_bytes + len(chunk) > self._max_push_bytes
        return not full and self.lagged_at is None and self.push(chunk, now)

    def take(self, max_bytes: int) -> list[bytes]:
        """Take the next frames for one message: at least one, and no more than fit."""
        if self.bytes <= max_bytes:
            chunks = self._chunks
            self._chunks = []
            self._is_push = bytearray()
            self._pushes = self._push_bytes = self.bytes = 0
            return chunks
        size = count = 0
        for chunk in self._chunks:
            if count and size + len(chunk) > max_bytes:
                break
            size += len(chunk)
            count += 1
        taken = self._chunks[:count]
        for chunk, is_push in zip(taken, self._is_push[:count], strict=True):
            if is_push:
                self._pushes -= 1
                self._push_bytes -= len(chunk)
        del self._chunks[:count]
        del self._is_push[:count]
        self.bytes -= size
        return taken

    def caught_up(self) -> int:
        """Everything was written: the lag is over. Returns how many pushes were dropped meanwhile."""
        dropped, self.dropped, self.lagged_at = self.dropped, 0, None
        return dropped

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._chunks = []
        self._is_push = bytearray()
        self._pushes = self._push_bytes = self.bytes = 0

    def drop_pushes(self) -> None:
        """Drop the pushes that wait, keep the answers."""
        self.dropped += self._pushes
        kept = [chunk for chunk, is_push in zip(self._chunks, self._is_push, strict=True) if not is_push]
        self._chunks = kept
        self._is_push = bytearray(len(kept))
        self._pushes = self._push_bytes = 0
        self.bytes = sum(map(len, kept))
