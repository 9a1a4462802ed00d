"""The cache on Redis or a Redis Cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Final

from redis.exceptions import AskError, MovedError, NoScriptError, ResponseError

from im_infra import error_table
from im_infra.cache.abstract import MAX_VALUE_BYTES, Reading
from im_infra.cache.redis.connect import Command, Reply
from im_infra.cache.redis.node import RedisNode
from im_infra.cache.redis.ports import Topology
from im_infra.cache.redis.scripts import COMPARE_AND_SET, INCREMENT, Script
from im_infra.cache.redis.single import SingleServer
from im_infra.cache.redis.slots import ClusterSlots
from im_infra.cache.settings import RedisSettings
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics

_LOG: Final = logs.get(__name__)

_KEYS_PER_COMMAND: Final = 1_000
"""Of one MGET: nothing else is served meanwhile."""
_REDIRECTIONS: Final = 5
"""A slot on its way is named by one node, then by another."""


class RedisCache:
    """Values in Redis. Made by `open_redis`.

    Every call fails with UNAVAILABLE within a few timeouts, and at once while Redis is known to be away. What callers ask
    for at the same time shares round trips.

    Args:
        settings: where it is, and limits.
        metrics: counters.

    Raises:
        OSError: a certificate cannot be read.
    """

    def __init__(self, settings: RedisSettings, metrics: Metrics) -> None:
        self._prefix = settings.key_prefix
        self._epoch: str | None = None
        self._last_epoch = ""
        self._epoch_changes = metrics.counter("im_cache_epoch_changes_total")
        self._topology = self._make_topology(settings, metrics)
        self._cluster = settings.cluster

    async def open(self) -> None:
        """Connect; raises ImError(UNAVAILABLE) where nobody answers or lets us in."""
        await self._topology.open()

    async def close(self) -> None:
        """Close all connections; what is under way fails."""
        await self._topology.close()

    async def epoch(self) -> str:
        """Changes when a server lost what it held; see `abstract.Cache.epoch`."""
        await asyncio.gather(*(node.ask((), weight=0, reads=True, repeatable=True) for node in self._topology.nodes()))
        epoch = self._known_epoch()
        if not epoch:
            raise ImError(
                error_table.UNAVAILABLE, "a server of the cache does not tell its epoch", retry_after_ms=1_000
            )
        return epoch

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `abstract.Cache.get_many`."""
        return (await self.read(keys)).values

    async def read(self, keys: Sequence[str]) -> Reading:
        """See `abstract.Cache.read`."""
        full = [self._key(key) for key in keys]
        values = await (self._read_slots(full) if self._cluster else self._read_single(full))
        return Reading(values, self._known_epoch())

    async def put(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """See `abstract.Cache.put`."""
        _check_size(key, value)
        full = self._key(key)
        await self._ask(full, ("SET", full, value, "PX", _milliseconds(ttl_s)), repeatable=True)

    async def take(self, key: str) -> bytes | None:
        """See `abstract.Cache.take`."""
        full = self._key(key)
        value: bytes | None = await self._ask(full, ("GETDEL", full))
        return value

    async def compare_and_set(self, key: str, expected: bytes | None, value: bytes | None, *, ttl_s: float) -> bool:
        """See `abstract.Cache.compare_and_set`."""
        if value is not None:
            _check_size(key, value)
        done = await self._run(
            COMPARE_AND_SET,
            key,
            int(expected is not None),
            expected or b"",
            int(value is not None),
            value or b"",
            _milliseconds(ttl_s),
        )
        return bool(done)

    async def increment(self, key: str, *, ttl_s: float) -> int:
        """See `abstract.Cache.increment`."""
        return int(await self._run(INCREMENT, key, _milliseconds(ttl_s)))

    async def _run(self, script: Script, key: str, *arguments: bytes | int) -> Reply:
        full = self._key(key)
        return await self._ask(
            full, script.by_digest(full, *arguments), unknown=lambda: script.by_text(full, *arguments)
        )

    async def _ask(
        self, key: bytes, command: Command, *, repeatable: bool = False, unknown: Callable[[], Command] | None = None
    ) -> Reply:
        """The answer of the server that holds the key, wherever that is by now."""
        node, asking = self._topology.node_of(key), False
        for _ in range(_REDIRECTIONS):
            commands: list[Command] = [("ASKING",), command] if asking else [command]
            reply = (await node.ask(commands, repeatable=repeatable))[-1]
            asking = False
            if isinstance(reply, MovedError):
                self._topology.moved(reply)
                node = self._topology.node_of(key)
            elif isinstance(reply, AskError):
                node, asking = self._topology.node_at(f"{reply.host}:{reply.port}"), True
            elif isinstance(reply, NoScriptError) and unknown is not None:
                command, unknown = unknown(), None
            else:
                return _checked(reply)
        raise ImError(error_table.UNAVAILABLE, "the key's slot moves", retry_after_ms=100)

    async def _read_single(self, keys: Sequence[bytes]) -> list[bytes | None]:
        (node,) = self._topology.nodes()
        parts = [keys[start : start + _KEYS_PER_COMMAND] for start in range(0, len(keys), _KEYS_PER_COMMAND)]
        if len(parts) <= 1:
            return await self._read_part(node, keys)
        values: list[bytes | None] = []
        for part in await asyncio.gather(*(self._read_part(node, part) for part in parts)):
            values += part
        return values

    async def _read_part(self, node: RedisNode, keys: Sequence[bytes]) -> list[bytes | None]:
        if not keys:
            await node.ask((), weight=0, reads=True, repeatable=True)
            return []
        (reply,) = await node.ask([("MGET", *keys)], weight=len(keys), reads=True, repeatable=True)
        values: list[bytes | None] = _checked(reply)
        return values

    async def _read_slots(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """One pipeline per node; keys of different slots cannot share a command."""
        positions: dict[RedisNode, list[int]] = {}
        for position, key in enumerate(keys):
            positions.setdefault(self._topology.node_of(key), []).append(position)
        answers = await asyncio.gather(
            *(
                node.ask([("GET", keys[each]) for each in mine], weight=len(mine), reads=True, repeatable=True)
                for node, mine in positions.items()
            )
        )
        values: list[bytes | None] = [None] * len(keys)
        for mine, replies in zip(positions.values(), answers, strict=True):
            for position, reply in zip(mine, replies, strict=True):
                if isinstance(reply, AskError):  # MOVED is one, too
                    reply = await self._ask(keys[position], ("GET", keys[position]), repeatable=True)  # noqa: PLW2901
                values[position] = _checked(reply)
        return values

    def _known_epoch(self) -> str:
        """Of all servers together, as they were read last; empty while one is not known."""
        if self._epoch is None:
            epochs = [node.epoch for node in self._topology.nodes()]
            whole = bool(epochs) and all(epochs)
            self._epoch = blake2b("\n".join(sorted(epochs)).encode(), digest_size=8).hexdigest() if whole else ""
            if whole and self._epoch != self._last_epoch:
                if self._last_epoch:
                    self._epoch_changes.inc()
                    _LOG.warning("a server of the cache lost what it held")
                self._last_epoch = self._epoch
        return self._epoch

    def _forget_epoch(self) -> None:
        self._epoch = None

    def _make_topology(self, settings: RedisSettings, metrics: Metrics) -> Topology:
        context = settings.tls.context()

        def make(address: str, epoch_key: str) -> RedisNode:
            return RedisNode(
                address,
                settings=settings,
                epoch_key=epoch_key,
                context=context,
                metrics=metrics,
                on_epoch=self._forget_epoch,
            )

        prefix = f"{settings.key_prefix}epoch"
        if settings.cluster:
            return ClusterSlots(settings.addresses, make=make, epoch_prefix=prefix, on_change=self._forget_epoch)
        return SingleServer(make(settings.addresses[0], prefix))

    def _key(self, key: str) -> bytes:
        return (self._prefix + key).encode()


@asynccontextmanager
async def open_redis(settings: RedisSettings, metrics: Metrics) -> AsyncIterator[RedisCache]:
    """The cache on Redis, open while the context is.

    Raises:
        ImError: UNAVAILABLE: nobody answers there, or lets us in. Once it is open, it rides outages out.
        OSError: a certificate cannot be read.
    """
    cache = RedisCache(settings, metrics)
    try:
        await cache.open()
        yield cache
    finally:
        await cache.close()


def _checked(reply: Reply) -> Reply:
    """The answer, unless it is an error: no room, no right, a replica, a slot without an owner."""
    if isinstance(reply, ResponseError):
        raise ImError(error_table.UNAVAILABLE, f"redis: {reply}", retry_after_ms=1_000) from reply
    return reply


def _check_size(key: str, value: bytes) -> None:
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"{key} would have {len(value)} bytes, over {MAX_VALUE_BYTES}")


def _milliseconds(ttl_s: float) -> int:
    return max(1, round(ttl_s * 1000))
