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
        "_max_push_bytes",
        "_max_pushes",
        "_push_bytes",
        "_push_frames",
        "_pushes",
        "bytes",
        "dropped",
        "lagged_at",
    )

    def __init__(self, max_pushes: int, max_push_bytes: int) -> None:
        self._max_pushes = max_pushes
        self._max_push_bytes = max_push_bytes
        self._chunks: list[bytes] = []  # pushes: bounded, dropped when full; answers: bounded by open requests
        self._push_frames: list[int] = []
        """Frames of each chunk that is a push; of an answer 0."""
        self._pushes = 0
        self._push_bytes = 0
        self.bytes = 0
        """Bytes waiting, pushes and answers."""
        self.dropped = 0
        """Pushes dropped since the client was last told."""
        self.lagged_at: float | None = None
        """Monotonic seconds since which it lags; None: it does not."""

    def __len__(self) -> int:
        """Chunks waiting."""
        return len(self._chunks)

    def answer(self, chunk: bytes) -> None:
        """Queue an answer, or something else that must not be lost."""
        self._chunks.append(chunk)
        self._push_frames.append(0)
        self.bytes += len(chunk)

    def answer_first(self, chunk: bytes) -> None:
        """Put an answer before everything that waits."""
        self._chunks.insert(0, chunk)
        self._push_frames.insert(0, 0)
        self.bytes += len(chunk)

    @property
    def answer_bytes(self) -> int:
        """Bytes of waiting answers."""
        return self.bytes - self._push_bytes

    def push(self, chunk: bytes, now: float, frames: int = 1) -> bool:
        """Queue a push of so many frames; False: it was dropped, and with it every push that waited."""
        if self.lagged_at is not None:
            self.dropped += frames
            return False
        size = len(chunk)
        if self._pushes + frames > self._max_pushes or self._push_bytes + size > self._max_push_bytes:
            self.drop_pushes()
            self.dropped += frames
            self.lagged_at = now
            return False
        self._chunks.append(chunk)
        self._push_frames.append(frames)
        self._pushes += frames
        self._push_bytes += size
        self.bytes += size
        return True

    def push_ephemeral(self, chunk: bytes, now: float) -> bool:
        """Queue a push that nobody misses; False: there was no room, nothing else was dropped for it."""
        full = self._pushes >= self._max_pushes or self._push_bytes + len(chunk) > self._max_push_bytes
        return not full and self.lagged_at is None and self.push(chunk, now)

    def take(self, max_bytes: int) -> tuple[list[bytes], int]:
        """Take the next chunks for one message, and how many frames they are: at least one, and no more than fit."""
        if self.bytes <= max_bytes:
            chunks, of_pushes = self._chunks, self._push_frames
            frames = (of_pushes[0] or 1) if len(chunks) == 1 else self._pushes + of_pushes.count(0)
            self._chunks, self._push_frames = [], []
            self._pushes = self._push_bytes = self.bytes = 0
            return chunks, frames
        size = count = 0
        for chunk in self._chunks:
            if count and size + len(chunk) > max_bytes:
                break
            size += len(chunk)
            count += 1
        taken, frames = self._chunks[:count], 0
        for chunk, push_frames in zip(taken, self._push_frames[:count], strict=True):
            frames += push_frames or 1
            if push_frames:
                self._pushes -= push_frames
                self._push_bytes -= len(chunk)
        del self._chunks[:count]
        del self._push_frames[:count]
        self.bytes -= size
        return taken, frames

    def caught_up(self) -> int:
        """Everything was written: the lag is over. Returns how many pushes were dropped meanwhile."""
        dropped, self.dropped, self.lagged_at = self.dropped, 0, None
        return dropped

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._chunks = []
        self._push_frames = []
        self._pushes = self._push_bytes = self.bytes = 0

    def drop_pushes(self) -> None:
        """Drop the pushes that wait, keep the answers."""
        self.dropped += self._pushes
        kept = [chunk for chunk, frames in zip(self._chunks, self._push_frames, strict=True) if not frames]
        self._chunks = kept
        self._push_frames = [0] * len(kept)
        self._pushes = self._push_bytes = 0
        self.bytes = sum(map(len, kept))
