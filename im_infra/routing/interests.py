"""Which gateways have members of a large conversation connected."""

from typing import Final

from im_infra.cache.abstract import Cache
from im_infra.clock import Clock, SystemClock
from im_infra.routing.change_value import change_value
from im_proto.route.v1.route_pb2 import Interest, InterestList

INTEREST_TTL_S: Final = 180.0
"""A gateway announces again every 60 s: two sweeps may fail before it is left out."""


class InterestTable:
    """The interested gateways, one value under `interest:{conversation_id}`, replaced by compare-and-set.

    A gateway calls for one conversation one after the other, so that its own announcements and withdrawals keep order.

    Args:
        cache: the shared cache.
        clock: wall time, for the entries' own expiry.
    """

    def __init__(self, cache: Cache, clock: Clock | None = None) -> None:
        self._cache = cache
        self._clock = clock or SystemClock()

    async def announce(self, conversation_id: int, *, gateway_id: str, boot_id: str) -> None:
        """Say that this gateway wants the conversation, for the next 180 s; an earlier boot's entry is replaced.

        Safe to cancel: announced or not.

        Raises:
            ImError: UNAVAILABLE: the cache is away, or others won every time.
        """
        expire_time = self._clock.now_ms() + int(INTEREST_TTL_S * 1000)
        mine = Interest(gateway_id=gateway_id, boot_id=boot_id, expire_time=expire_time)

        def add(value: bytes | None) -> bytes:
            others = [interest for interest in self._living(value) if interest.gateway_id != gateway_id]
            return InterestList(interests=[*others, mine]).SerializeToString()

        await change_value(self._cache, _key(conversation_id), add, ttl_s=INTEREST_TTL_S)

    async def withdraw(self, conversation_id: int, *, gateway_id: str, boot_id: str) -> None:
        """Say that it does not any more; another boot's entry stays. Raises and cancels as `announce`."""
        gone = (gateway_id, boot_id)

        def remove(value: bytes | None) -> bytes | None:
            others = [interest for interest in self._living(value) if (interest.gateway_id, interest.boot_id) != gone]
            return InterestList(interests=others).SerializeToString() if others else None

        await change_value(self._cache, _key(conversation_id), remove, ttl_s=INTEREST_TTL_S)

    async def find(self, conversation_id: int) -> tuple[list[Interest], str]:
        """The gateways to send to, and the cache's epoch they were read in.

        Safe to cancel.

        Raises:
            ImError: UNAVAILABLE: the cache is away.
        """
        (value,), epoch = await self._cache.read((_key(conversation_id),))
        return self._living(value), epoch

    def _living(self, value: bytes | None) -> list[Interest]:
        if value is None:
            return []
        now_ms = self._clock.now_ms()
        return [interest for interest in InterestList.FromString(value).interests if interest.expire_time > now_ms]


def _key(conversation_id: int) -> str:
    return f"interest:{conversation_id}"
