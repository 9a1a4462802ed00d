"""One Redis server that holds every key."""

from collections.abc import Sequence
from typing import NoReturn

from redis.exceptions import MovedError

from im_infra import error_table
from im_infra.cache.redis.node import RedisNode
from im_infra.errors import ImError


class SingleServer:
    """A topology of one.

    Args:
        node: the server.
    """

    def __init__(self, node: RedisNode) -> None:
        self._node = node

    async def open(self) -> None:
        """See `ports.Topology.open`."""
        self._node.start()
        await self._node.wait_settled()

    async def close(self) -> None:
        """See `ports.Topology.close`."""
        await self._node.close()

    def nodes(self) -> Sequence[RedisNode]:
        """See `ports.Topology.nodes`."""
        return (self._node,)

    def node_of(self, _key: bytes) -> RedisNode:
        """See `ports.Topology.node_of`."""
        return self._node

    def node_at(self, address: str) -> NoReturn:
        """Whoever names another server is a node of a cluster, and the settings say that it is none."""
        raise ImError(
            error_table.UNAVAILABLE, f"redis {self._node.address} is a cluster's node and names {address}: set cluster"
        )

    def moved(self, error: MovedError) -> None:
        """As `node_at`."""
        self.node_at(f"{error.host}:{error.port}")
