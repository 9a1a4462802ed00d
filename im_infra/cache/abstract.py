"""The promise of the family `cache`."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

MAX_VALUE_BYTES: Final = 64 * 1024


class Reading(NamedTuple):
    """Values, and what they were read from."""

    values: list[bytes | None]
    epoch: str
    """As it was then, or a later one; empty: not known. Under another epoch than before, a missing value tells nothing."""


class Cache(Protocol):
    """Shared values under string keys.

    Every operation is atomic for its key. All of it may vanish at once (a restart, a flush): then `epoch` changes.
    Keys of one purpose share a prefix ending in `:`. Values are opaque bytes of at most 64 KiB.

    Every method may raise `ImError(UNAVAILABLE)` within its member's bounded time; cancelling a call is safe, and
    leaves it done or not done.
    """

    async def epoch(self) -> str:
        """Changes when all or some of it was lost; publishers then publish again."""
        ...

    async def read(self, keys: Sequence[str]) -> Reading:
        """The values in the order of `keys`, None where there is none, with the epoch: in one round trip."""
        ...

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of `read`."""
        ...

    async def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Set a value, whatever was there."""
        ...

    async def take(self, key: str) -> bytes | None:
        """Read and delete at once: of two concurrent calls only one gets the value."""
        ...

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, *, ttl_s: float) -> bool:
        """Replace `expected` by `value` (None: absent) and say whether it was so.

        With equal `expected` and `value` it renews the time to live.
        """
        ...

    async def increment(self, key: str, *, ttl_s: float) -> int:
        """Count up from 0 and return the new count; the time to live starts with the first."""
        ...
