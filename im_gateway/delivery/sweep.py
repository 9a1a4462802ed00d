"""Renewing what the cache forgets: this gateway's routes and interests, every minute and when the cache was lost."""

import asyncio
from typing import Final

from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub
from im_gateway.delivery.interest import Interests
from im_infra.cache.abstract import Cache
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.routing import RouteTable
from im_infra.rpc.peer import Peer
from im_proto.route.v1.route_pb2 import Route

_LOG: Final = logs.get(__name__)
_EPOCH_INTERVAL_S: Final = 2.0
"""How often the cache is asked whether everything was lost."""


class Sweep:
    """Keeps the shared tables true.

    Args:
        hub: the connections.
        routes: the route table.
        interests: the large conversations.
        cache: tells by its epoch that everything was lost.
        me: this gateway.
        interval_s: seconds between two sweeps.
    """

    def __init__(
        self, hub: Hub, routes: RouteTable, interests: Interests, cache: Cache, *, me: Peer, interval_s: float
    ) -> None:
        self._hub = hub
        self._routes = routes
        self._interests = interests
        self._cache = cache
        self._me = me
        self._interval_s = interval_s

    async def run(self) -> None:
        """Sweep, for ever. Cancelling is safe."""
        epoch = ""
        next_sweep = self._hub.monotonic() + self._interval_s
        while True:
            await asyncio.sleep(min(_EPOCH_INTERVAL_S, self._interval_s))
            try:
                present = await self._cache.epoch()
                lost = bool(epoch) and present != epoch
                if lost:
                    _LOG.warning("the cache was lost; publishing everything again")
                if lost or self._hub.monotonic() >= next_sweep:
                    await self.sweep()
                    next_sweep = self._hub.monotonic() + self._interval_s
                epoch = present
            except ImError as error:
                _LOG.warning("sweep failed", reason=error.reason.name)

    async def sweep(self) -> None:
        """Renew all routes and interests; raises ImError(UNAVAILABLE). Cancelling is safe: some are renewed."""
        routes: dict[int, list[Route]] = {}
        for connection in self._hub.connections.values():
            if connection.state == State.OPEN:
                routes.setdefault(connection.user_id, []).append(self._route(connection))
        await self._routes.renew(routes)
        await self._interests.sweep()

    async def remove_all(self) -> None:
        """This gateway stops: take its routes away; what the cache does not take expires by itself."""
        try:
            for connection in list(self._hub.connections.values()):
                if connection.user_id:
                    await self._routes.remove(
                        connection.user_id,
                        connection_id=connection.connection_id,
                        gateway_id=self._me.node_id,
                        boot_id=self._me.boot_id,
                    )
        except ImError as error:
            _LOG.warning("routes not removed; they expire", reason=error.reason.name)

    def _route(self, connection: Connection) -> Route:
        return Route(
            connection_id=connection.connection_id,
            gateway_id=self._me.node_id,
            boot_id=self._me.boot_id,
            session_id=connection.caller.session_id,
            device_id=connection.caller.device_id,
            instance_id=connection.instance_id,
            device_class=connection.device_class,
        )
