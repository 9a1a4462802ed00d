"""A Redis Cluster: each of its 16,384 slots of keys is held by one of several servers, and may move."""

import asyncio
from binascii import crc_hqx
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count
from typing import Final, NamedTuple

from redis.crc import key_slot
from redis.exceptions import MovedError

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.cache.redis.connect import Reply
from im_infra.cache.redis.node import RedisNode
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

SLOTS: Final = 16_384
_REFRESH_S: Final = 10.0
"""How often the servers are asked who holds what; a server that says "moved" makes it at once."""
_LEAST_REFRESH_S: Final = 0.2


class Range(NamedTuple):
    """Slots `first` to `last`, both included, and the server that holds them."""

    first: int
    last: int
    address: str


def parse_slots(reply: Reply, *, asked: str) -> list[Range]:
    """What CLUSTER SLOTS says of the servers that may be written to.

    Args:
        reply: the answer.
        asked: the address of who gave it; a server that does not know its own name leaves it out.

    Raises:
        ImError: UNAVAILABLE: it is not such an answer; the server is no cluster's node, or holds nothing yet.
    """
    if not isinstance(reply, list) or not reply:
        raise ImError(error_table.UNAVAILABLE, f"redis {asked} knows of no slots: {reply}")
    ranges = []
    for first, last, owner, *_replicas in reply:
        host = (owner[0] or b"").decode()
        if host in {"", "?"}:
            host = asked.rpartition(":")[0]
        ranges.append(Range(int(first), int(last), f"{host}:{int(owner[1])}"))
    return ranges


@lru_cache(maxsize=256)
def tag_of(slot: int) -> str:
    """A short text that hashes to a slot: in braces, it puts a key there."""
    return next(text for text in map(str, count()) if crc_hqx(text.encode(), 0) % SLOTS == slot)


class ClusterSlots:
    """A topology of several servers, kept up to date.

    Args:
        seeds: addresses of some of them.
        make: makes a node for an address and the key of its epoch.
        epoch_prefix: what the keys of epochs begin with.
        on_change: called when other servers hold the slots.
    """

    def __init__(
        self,
        seeds: Sequence[str],
        *,
        make: Callable[[str, str], RedisNode],
        epoch_prefix: str,
        on_change: Callable[[], None],
    ) -> None:
        self._seeds = seeds
        self._make = make
        self._epoch_prefix = epoch_prefix
        self._on_change = on_change
        self._known: dict[str, RedisNode] = {}
        self._owners: list[RedisNode | None] = [None] * SLOTS
        self._holding: tuple[RedisNode, ...] = ()
        self._stale = asyncio.Event()
        self._keeping: asyncio.Task[object] | None = None

    async def open(self) -> None:
        """See `ports.Topology.open`: one of the seeds answers."""
        try:
            await self.refresh()
            await asyncio.gather(*(node.wait_settled() for node in self._holding), return_exceptions=True)
        except BaseException:
            await self.close()
            raise
        self._keeping = spawn(self._keep(), name="cache.redis.slots")

    async def close(self) -> None:
        """See `ports.Topology.close`."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await asyncio.gather(*(node.close() for node in self._known.values()))
        self._known.clear()

    def nodes(self) -> Sequence[RedisNode]:
        """See `ports.Topology.nodes`."""
        return self._holding

    def node_of(self, key: bytes) -> RedisNode:
        """See `ports.Topology.node_of`."""
        owner = self._owners[key_slot(key)]
        if owner is None:
            raise ImError(error_table.UNAVAILABLE, "no node of the Redis Cluster holds this slot", retry_after_ms=1_000)
        return owner

    def node_at(self, address: str) -> RedisNode:
        """See `ports.Topology.node_at`."""
        node = self._known.get(address)
        if node is None:
            node = self._known[address] = self._make(address, f"{self._epoch_prefix}{{{address}}}")
            node.start()
        return node

    def moved(self, error: MovedError) -> None:
        """See `ports.Topology.moved`; the whole map is asked for soon."""
        if error.host:
            self._owners[error.slot_id] = self.node_at(f"{error.host}:{error.port}")
        self._stale.set()

    async def refresh(self) -> None:
        """Ask a server who holds what.

        Raises:
            ImError: UNAVAILABLE: none answers; the map stays as it was.
        """
        last: ImError | None = None
        for address in dict.fromkeys((*self._known, *self._seeds)):
            try:
                node = self.node_at(address)
                await node.wait_settled()
                (reply,) = await node.ask([("CLUSTER", "SLOTS")], repeatable=True)
                self._apply(parse_slots(reply, asked=address))
            except ImError as error:
                last = error
            else:
                return
        assert last is not None, "there is a seed"
        raise last

    async def _keep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_REFRESH_S):
                    await self._stale.wait()
            except TimeoutError:
                pass
            self._stale.clear()
            try:
                await self.refresh()
            except ImError as error:
                _LOG.warning("the Redis Cluster's slots are not known anew", error=error.message)
            await asyncio.sleep(_LEAST_REFRESH_S)

    def _apply(self, ranges: Iterable[Range]) -> None:
        owners: list[RedisNode | None] = [None] * SLOTS
        lowest: dict[RedisNode, int] = {}
        for part in ranges:
            node = self.node_at(part.address)
            owners[part.first : part.last + 1] = [node] * (part.last + 1 - part.first)
            lowest[node] = min(part.first, lowest.get(node, SLOTS))
        for node, slot in lowest.items():
            node.keep_epoch_in(f"{self._epoch_prefix}{{{tag_of(slot)}}}")
        self._owners = owners
        holding = tuple(sorted(lowest, key=lambda node: node.address))
        if holding != self._holding:
            self._holding = holding
            self._on_change()
        for address, node in list(self._known.items()):
            if node not in lowest:
                del self._known[address]
                spawn(node.close(), name="cache.redis.leave")
