"""Telling gateways to close connections."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import LiveConnection
from im_proto.gateway.v1.gateway_pb2 import CloseConnection, GatewayPush

_LOG: Final = logs.get(__name__)

_REASONS: Final = {
    CloseCode.KICKED: "Another device took this one's place.",
    CloseCode.REPLACED: "The same instance connected again.",
    CloseCode.SESSION_REVOKED: "The session was ended.",
}


class GatewayStream(Protocol):
    """A gateway's stream to this process."""

    def push(self, body: bytes) -> bool:
        """Queue a push; False: it cannot be taken."""
        ...


class GatewaySockets:
    """The live sockets of the cluster, closed by pushes to the gateways connected here.

    Best effort: what does not reach its gateway is seen there within 2 s among the revocations.

    Args:
        connections: where the sockets are.
        streams: the gateways' streams by (node id, boot id); a live view.
        metrics: counts the closed.
    """

    def __init__(
        self, connections: Connections, streams: Mapping[tuple[str, str], GatewayStream], metrics: Metrics
    ) -> None:
        self._connections = connections
        self._streams = streams
        kicked = metrics.counter("im_logic_kicked_total")
        self._counts = {code: kicked.labels(code.name) for code in _REASONS}

    async def close(self, user_id: int, session_ids: Sequence[int], close_code: CloseCode) -> None:
        """Close all connections of these sessions; raises nothing."""
        if not session_ids:
            return
        try:
            connections = await self._connections.find(user_id)
        except ImError as error:
            _LOG.warning("routes unreadable, sockets close by revocation", reason=error.reason.name)
            return
        ended = set(session_ids)
        self.close_connections([one for one in connections if one.session_id in ended], close_code)

    def close_connections(self, connections: Iterable[LiveConnection], close_code: CloseCode) -> None:
        """Close these; raises nothing."""
        for connection in connections:
            key = connection.key
            stream = self._streams.get((key.gateway_id, key.boot_id))
            push = GatewayPush(
                close_connection=CloseConnection(
                    connection_id=key.connection_id, close_code=close_code, reason=_REASONS[close_code]
                )
            )
            if stream is None or not stream.push(push.SerializeToString()):
                _LOG.warning("gateway not told to close", gateway_id=key.gateway_id, close_code=close_code.name)
            self._counts[close_code].inc()
