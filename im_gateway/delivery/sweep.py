"""Publishing what this gateway holds: its routes and interests, every minute, and anew when the cache was lost."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub
from im_gateway.delivery.checks import Checks
from im_gateway.delivery.interest import Interests
from im_infra.cache.abstract import Cache
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.routing import Publications, RouteTable
from im_infra.rpc.peer import Peer
from im_proto.route.v1.route_pb2 import Route

_LOG: Final = logs.get(__name__)
_EPOCH_INTERVAL_S: Final = 2.0
"""How often the cache is asked whether everything was lost."""
_SPREAD_S: Final = 0.5
"""All gateways see a loss at once; each waits so long at most before it publishes."""
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class SweepParts:
    """What publishing needs."""

    hub: Hub
    routes: RouteTable
    interests: Interests
    publications: Publications
    cache: Cache
    checks: Checks
    me: Peer


class Sweep:
    """Keeps the shared tables true.

    Whoever fans out takes a missing route for an absent user only where this gateway has published under the epoch that
    the route was read in. So it says so last: after every route and interest it had is stored, those included of
    connections that were opening when the loss was seen (logic may have stored theirs before it).

    Connections that opened around a loss, or while nothing could be stored, are told to compare: what was sent to them
    before their route stood may have passed them by.

    Args:
        parts: collaborators.
        interval_s: seconds between two sweeps.
    """

    def __init__(self, parts: SweepParts, *, interval_s: float) -> None:
        self._parts = parts
        self._interval_s = interval_s
        self._opening_s = parts.hub.settings.connections.request_timeout_s
        self._published = ""
        """The epoch; empty: nothing, as far as we know."""
        self._good_at = parts.hub.monotonic()
        """Until then, everything was published."""
        self._next_sweep = 0.0
        self._unstored: set[Connection] = set()
        self._wake = asyncio.Event()

    def store_later(self, connection: Connection) -> None:
        """A connection opened whose route, or whose conversations, could not be stored: it is done as soon as it can be."""
        self._unstored.add(connection)
        self._wake.set()

    async def run(self) -> None:
        """Publish, for ever. Cancelling is safe."""
        while True:
            self._wake.clear()
            try:
                await self._look()
            except ImError as error:
                if self._published:
                    _LOG.warning("nothing can be published", error=error.message)
                self._published = ""
            try:
                async with asyncio.timeout(min(_EPOCH_INTERVAL_S, self._interval_s)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def sweep(self) -> None:
        """Renew all routes and interests; raises ImError(UNAVAILABLE). Cancelling is safe: some are renewed."""
        await self._renew(self._parts.hub.connections.values())
        await self._parts.interests.sweep()

    async def remove_all(self) -> None:
        """This gateway stops: take its routes away; what the cache does not take expires by itself."""
        me = self._parts.me
        try:
            for connection in list(self._parts.hub.connections.values()):
                if connection.user_id:
                    await self._parts.routes.remove(
                        connection.user_id,
                        connection_id=connection.connection_id,
                        gateway_id=me.node_id,
                        boot_id=me.boot_id,
                    )
        except ImError as error:
            _LOG.warning("routes not removed; they expire", reason=error.reason.name)

    async def _look(self) -> None:
        epoch = await self._parts.cache.epoch()
        now = self._parts.hub.monotonic()
        if epoch != self._published:
            if self._published:
                _LOG.warning("the cache was lost; publishing everything again")
                self._published = ""
            await self._publish_again(epoch)
        elif self._unstored:
            await self._store(list(self._unstored))
        elif now >= self._next_sweep:
            await self.sweep()
            await self._say_published(epoch, now)
        else:
            self._good_at = now

    async def _publish_again(self, epoch: str) -> None:
        """Everything, then the word that it is everything, then whoever may have missed something."""
        hub = self._parts.hub
        if hub.connections:
            await asyncio.sleep(random.uniform(0, _SPREAD_S))  # noqa: S311 - jitter, not a secret
        began = hub.monotonic()
        opening = [connection for connection in hub.connections.values() if connection.state == State.OPENING]
        await self.sweep()
        await self._settle(opening)
        await self._store(list(self._unstored.union(opening)))
        await self._say_published(epoch, began)

    async def _say_published(self, epoch: str, began: float) -> None:
        parts = self._parts
        await parts.publications.publish(gateway_id=parts.me.node_id, boot_id=parts.me.boot_id, epoch=epoch)
        if epoch != self._published:
            since = self._good_at - self._opening_s
            parts.checks.connections(one for one in parts.hub.connections.values() if one.opened_at >= since)
        self._published, self._good_at, self._next_sweep = epoch, began, began + self._interval_s

    async def _store(self, connections: Sequence[Connection]) -> None:
        """Store what could not be when these opened, and tell them to compare."""
        if connections:
            await self._renew(connections)
            await self._parts.interests.announce_missing(connections)
            self._unstored.difference_update(connections)
            self._parts.checks.connections(connections)

    async def _settle(self, opening: Sequence[Connection]) -> None:
        """Wait until these are open or gone; after the time that logic has to answer, they are."""
        deadline = self._parts.hub.monotonic() + self._opening_s
        while any(connection.state == State.OPENING for connection in opening):
            if self._parts.hub.monotonic() >= deadline:
                return
            await asyncio.sleep(_LOOK_S)

    async def _renew(self, connections: Iterable[Connection]) -> None:
        """Store the routes of the open ones among these, each with all others of its user here."""
        users = {connection.user_id for connection in connections if connection.state == State.OPEN}
        await self._parts.routes.renew(
            {
                user_id: [self._route(one) for one in self._parts.hub.of_user(user_id) if one.state == State.OPEN]
                for user_id in users
            }
        )

    def _route(self, connection: Connection) -> Route:
        me = self._parts.me
        return Route(
            connection_id=connection.connection_id,
            gateway_id=me.node_id,
            boot_id=me.boot_id,
            session_id=connection.caller.session_id,
            device_id=connection.caller.device_id,
            instance_id=connection.instance_id,
            device_class=connection.device_class,
        )
