"""Which gateways have published all they hold since the cache last lost anything."""

from collections.abc import Set as AbstractSet
from typing import Final

from im_infra.cache.abstract import Cache
from im_infra.clock import Clock, SystemClock
from im_infra.discovery.abstract import Discovery

PUBLISHED_TTL_S: Final = 150.0
"""Below the life of routes and interests (180 s): a gateway that could not renew them counts as unpublished before they go."""

_TRUSTED_S: Final = 15.0
_ASKED_AGAIN_S: Final = 0.2

GatewayBoot = tuple[str, str]
"""A gateway's boot: (node_id, boot_id)."""


class Publications:
    """The gateways' word that their part of the tables is whole, one value under `published:{gateway_id}`.

    A missing route tells that a user is not connected there only where the gateway has published under the epoch that the
    route was read in. Before that its frames go by user, to be sorted out by the gateway itself.

    Args:
        cache: the shared cache.
        clock: monotonic time: what was found is trusted for 15 s, and asked for again 5 times a second while somebody is
            missing.
    """

    def __init__(self, cache: Cache, clock: Clock | None = None) -> None:
        self._cache = cache
        self._monotonic = (clock or SystemClock()).monotonic
        self._asked: tuple[AbstractSet[GatewayBoot], str] | None = None
        self._missing: frozenset[GatewayBoot] = frozenset()
        self._until = 0.0

    async def publish(self, *, gateway_id: str, boot_id: str, epoch: str) -> None:
        """Say that everything this gateway holds was stored after `epoch` began; raises ImError(UNAVAILABLE)."""
        await self._cache.put(f"published:{gateway_id}", _value(boot_id, epoch), ttl_s=PUBLISHED_TTL_S)

    async def unpublished(self, gateways: AbstractSet[GatewayBoot], epoch: str) -> frozenset[GatewayBoot]:
        """Those of `gateways` that have not published under `epoch`; mostly none, and known without asking.

        Safe to cancel.

        Args:
            gateways: who lives; an empty boot id stands for any.
            epoch: as the tables were read; empty: not known.

        Raises:
            ImError: UNAVAILABLE: the cache is away.
        """
        if not epoch:
            return frozenset(gateways)
        now = self._monotonic()
        if self._asked is not None and self._asked[1] == epoch and self._asked[0] == gateways and now < self._until:
            return self._missing
        asked = tuple(gateways)
        values = await self._cache.get_many([f"published:{gateway_id}" for gateway_id, _ in asked])
        self._missing = frozenset(
            gateway for gateway, value in zip(asked, values, strict=True) if not _is_word_of(gateway, epoch, value)
        )
        self._asked = frozenset(asked), epoch
        self._until = now + (_ASKED_AGAIN_S if self._missing else _TRUSTED_S)
        return self._missing


def living_gateways(discovery: Discovery) -> set[GatewayBoot]:
    """The gateways that discovery lists."""
    return {(node.node_id, node.boot_id) for node in discovery.nodes("gateway").values()}


def _value(boot_id: str, epoch: str) -> bytes:
    return f"{boot_id} {epoch}".encode()


def _is_word_of(gateway: GatewayBoot, epoch: str, value: bytes | None) -> bool:
    boot_id = gateway[1]
    if value is None:
        return False
    return value == _value(boot_id, epoch) if boot_id else value.endswith(f" {epoch}".encode())
