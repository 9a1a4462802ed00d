"""Where each user's connections are."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Final

from im_infra.cache.abstract import Cache
from im_infra.clock import Clock, SystemClock
from im_infra.routing.change_value import change_value
from im_proto.route.v1.route_pb2 import Route, RouteList

ROUTE_TTL_S: Final = 180.0
"""A gateway renews every 60 s: two sweeps may fail before a route is lost."""

_RENEWED_AT_A_TIME: Final = 200
_PARSED: Final = 8_192
"""Values of which the parsed form is kept, some 1 KiB each: taking one apart is half of what a look-up costs."""

Rule = Callable[[list[Route]], list[Route]]


class RouteTable:
    """A user's routes, one value under `route:{user_id}`, replaced by compare-and-set.

    Route lists are read when they are needed and never kept: a connection made in between would be missed for ever.

    Args:
        cache: the shared cache.
        clock: wall time, for the entries' own expiry.
    """

    def __init__(self, cache: Cache, clock: Clock | None = None) -> None:
        self._cache = cache
        self._clock = clock or SystemClock()

    async def find_many(self, user_ids: Sequence[int]) -> dict[int, list[Route]]:
        """The living routes of these users, in one round trip; users without any are absent.

        Safe to cancel.

        Raises:
            ImError: UNAVAILABLE: the cache is away.
        """
        return (await self.look_up(user_ids))[0]

    async def look_up(self, user_ids: Sequence[int]) -> tuple[dict[int, list[Route]], str]:
        """The same, and the cache's epoch they were read in; cancels and raises likewise."""
        values, epoch = await self._cache.read([f"route:{user_id}" for user_id in user_ids])
        now_ms = self._clock.now_ms()
        found: dict[int, list[Route]] = {}
        for user_id, value in zip(user_ids, values, strict=True):
            if value is not None:
                routes = _living(value, now_ms)
                if routes:
                    found[user_id] = routes
        return found, epoch

    async def change(self, user_id: int, rule: Rule) -> tuple[list[Route], list[Route]]:
        """Replace a user's routes by what `rule` makes of the living ones; returns them before and after.

        A route that the rule returns with `expire_time` 0 gets the usual time to live. Safe to cancel: changed or not.

        Args:
            user_id: whose.
            rule: pure; may be asked several times when others change the same user; must not alter its argument.

        Raises:
            ImError: UNAVAILABLE: the cache is away, or others won every time.
        """
        return await self._change(user_id, rule, known=None)

    async def remove(self, user_id: int, *, connection_id: int, gateway_id: str, boot_id: str) -> None:
        """Remove one connection's route, if it is there; raises and cancels as `change`."""
        gone = (connection_id, gateway_id, boot_id)
        await self.change(
            user_id,
            lambda routes: [
                route for route in routes if (route.connection_id, route.gateway_id, route.boot_id) != gone
            ],
        )

    async def renew(self, routes: Mapping[int, Sequence[Route]]) -> None:
        """A gateway's sweep over its own connections: puts back what is missing, extends what is there.

        Routes of an earlier boot of the same gateway go. It leaves the loop to others every 200 users. A connection that
        closes during the call may be put back; its gateway answers deliveries for it as unknown, and it expires.

        Safe to cancel: some users are renewed, each wholly.

        Args:
            routes: by user id; all of one gateway's boot.

        Raises:
            ImError: UNAVAILABLE: the cache is away; the next sweep begins anew.
        """
        users = iter(routes)
        while some := list(islice(users, _RENEWED_AT_A_TIME)):
            values = await self._cache.get_many([f"route:{user_id}" for user_id in some])
            renewals = (
                self._change(user_id, partial(_renewed, own=routes[user_id]), known=value)
                for user_id, value in zip(some, values, strict=True)
            )
            for outcome in await asyncio.gather(*renewals, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _change(self, user_id: int, rule: Rule, *, known: bytes | None) -> tuple[list[Route], list[Route]]:
        now_ms = self._clock.now_ms()
        before: list[Route] = []
        after: list[Route] = []

        def replace(value: bytes | None) -> bytes | None:
            nonlocal before, after
            before = _living(value, now_ms) if value is not None else []
            after = [_stamped(route, now_ms) for route in rule(list(before))]
            return RouteList(routes=after).SerializeToString() if after else None

        await change_value(self._cache, f"route:{user_id}", replace, ttl_s=ROUTE_TTL_S, known=known)
        return before, after


def _living(value: bytes, now_ms: int) -> list[Route]:
    return [route for route in _parsed(value) if route.expire_time > now_ms]


@lru_cache(_PARSED)
def _parsed(value: bytes) -> Sequence[Route]:
    """The routes in a value, not to be altered: whoever is written to again and again has the same for a minute."""
    return tuple(RouteList.FromString(value).routes)


def _stamped(route: Route, now_ms: int) -> Route:
    if route.expire_time:
        return route
    stamped = Route()
    stamped.CopyFrom(route)
    stamped.expire_time = now_ms + int(ROUTE_TTL_S * 1000)
    return stamped


def _renewed(present: Sequence[Route], own: Sequence[Route]) -> list[Route]:
    """`present` with `own` in place of whatever their gateway had there, each in its order of connecting."""
    fresh = {route.connection_id: _unstamped(route) for route in own}
    gateways = {route.gateway_id: route.boot_id for route in own}
    kept: list[Route] = []
    for route in present:
        boot_id = gateways.get(route.gateway_id)
        if boot_id is None:
            kept.append(route)
        elif boot_id == route.boot_id:
            kept.append(fresh.pop(route.connection_id, route))
    return [*kept, *fresh.values()]


def _unstamped(route: Route) -> Route:
    bare = Route()
    bare.CopyFrom(route)
    bare.expire_time = 0
    return bare
