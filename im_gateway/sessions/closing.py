"""Telling logic that a connection is gone, and taking its route away where logic cannot be told."""

from collections import deque
from functools import partial
from typing import Final

from im_gateway.connections.connection import Connection
from im_gateway.sessions.logic_link import LogicLink
from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.routing import RouteTable
from im_infra.rpc.peer import Peer
from im_proto.logic.v1.stream_pb2 import Caller, CloseConnection, LogicRequest

_LOG: Final = logs.get(__name__)
_MAX_DEPARTED: Final = 20_000
_MAX_ORPHANS: Final = 100_000
"""Routes that are still to be removed; beyond it the oldest is left to its time to live."""


class Closing:
    """Ends sessions' connections at logic.

    Args:
        link: the way to logic.
        routes: the route table.
        me: this gateway.
    """

    def __init__(self, link: LogicLink, routes: RouteTable, *, me: Peer) -> None:
        self._link = link
        self._routes = routes
        self._me = me
        self._orphans: deque[tuple[int, int]] = deque(maxlen=_MAX_ORPHANS)  # full: the oldest expires by itself
        self._removing = False
        self._departed: dict[int, int] = {}  # whose they were; full: the oldest route expires by itself

    def close(self, connection: Connection) -> None:
        """Tell logic; its route is removed there, or here if logic is away."""
        caller = connection.caller
        self._departed[caller.connection_id] = caller.user_id
        if len(self._departed) > _MAX_DEPARTED:
            del self._departed[next(iter(self._departed))]
        body = LogicRequest(
            close_connection=CloseConnection(caller=caller, boot_id=self._me.boot_id)
        ).SerializeToString()
        done = partial(self._on_answer, caller)
        try:
            self._link.request(self._link.pick(caller.user_id), caller.user_id, body, done)
        except ImError as error:
            done(None, error)

    def repair(self, connection_id: int) -> None:
        """Something was sent to a connection that is gone: whoever sent it found a route that outlived it. It goes now."""
        user_id = self._departed.pop(connection_id, None)
        if user_id is not None:
            self._remove_route(user_id, connection_id)

    def _on_answer(self, caller: Caller, _body: bytes | None, error: ImError | None) -> None:
        if error is None:
            return
        self._remove_route(caller.user_id, caller.connection_id)

    def _remove_route(self, user_id: int, connection_id: int) -> None:
        self._orphans.append((user_id, connection_id))
        if not self._removing:
            self._removing = True
            spawn(self._remove_orphans(), name="gateway.remove_routes")

    async def _remove_orphans(self) -> None:
        try:
            while self._orphans:
                user_id, connection_id = self._orphans.popleft()
                await self._routes.remove(
                    user_id, connection_id=connection_id, gateway_id=self._me.node_id, boot_id=self._me.boot_id
                )
        except ImError as error:
            _LOG.warning("routes not removed; they expire", reason=error.reason.name)
            self._orphans.clear()
        finally:
            self._removing = False
