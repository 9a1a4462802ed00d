"""Which logic processes cannot deliver large ranges now, since the bus takes nothing: kept in memory, without I/O."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from im_infra.rpc.peer import Peer


class HasPeer(Protocol):
    """A stream."""

    @property
    def peer(self) -> Peer:
        """Its other end."""
        ...


S = TypeVar("S", bound=HasPeer)


class LargeRests:
    """Rests that logic processes asked for.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[Peer, float] = {}  # of boots that said so; those whose rest is over go with the next one

    def rest(self, peer: Peer, rest_ms: int) -> None:
        """Bring this process no large range for so many milliseconds."""
        now = self._monotonic()
        self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[peer] = now + rest_ms / 1000

    def awake(self, streams: Sequence[S]) -> list[S]:
        """Those that may be brought large ranges."""
        now = self._monotonic()
        return [stream for stream in streams if self._until.get(stream.peer, 0.0) <= now]
