"""What the cache asks of the map of its servers: which of them has a key."""

from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import MovedError

from im_infra.cache.redis.node import RedisNode


class Topology(Protocol):
    """The servers of a cache."""

    async def open(self) -> None:
        """Connect.

        Raises:
            ImError: UNAVAILABLE: nobody answers, or lets us in.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    def nodes(self) -> Sequence[RedisNode]:
        """The servers that hold keys."""
        ...

    def node_of(self, key: bytes) -> RedisNode:
        """The server that holds a key.

        Raises:
            ImError: UNAVAILABLE: there is none now.
        """
        ...

    def node_at(self, address: str) -> RedisNode:
        """The server at an address that another one named."""
        ...

    def moved(self, error: MovedError) -> None:
        """A server said that another one holds a slot."""
        ...
