"""Telling gateways to close."""

from collections.abc import Sequence

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.routing import RouteTable
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import ConnectionKey, LiveConnection
from im_logic.sessions.sockets import GatewaySockets
from im_proto.gateway.v1.gateway_pb2 import GatewayPush


class Stream:
    """A gateway's stream."""

    def __init__(self, *, full: bool = False) -> None:
        self.pushes: list[GatewayPush] = []
        self.full = full

    def push(self, body: bytes) -> bool:
        if not self.full:
            self.pushes.append(GatewayPush.FromString(body))
        return not self.full


class AwayCache(MemoryCache):
    """A cache that cannot be read."""

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        raise ImError(error_table.UNAVAILABLE)


def connection(number: int, gateway: str, session_id: int) -> LiveConnection:
    return LiveConnection(ConnectionKey(gateway, "b", number), session_id, "device-01", str(number), 4)


async def test_all_connections_of_the_sessions_are_told_at_their_gateways(clock: ManualClock) -> None:
    connections = Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)
    await connections.change(7, lambda _: [connection(1, "g1", 10), connection(2, "g2", 10), connection(3, "g1", 11)])
    streams = {("g1", "b"): Stream(), ("g2", "b"): Stream()}
    await GatewaySockets(connections, streams, Metrics()).close(7, [10], CloseCode.SESSION_REVOKED)
    closes = {gateway: [push.close_connection for push in stream.pushes] for (gateway, _), stream in streams.items()}
    assert {gateway: [close.connection_id for close in told] for gateway, told in closes.items()} == {
        "g1": [1],
        "g2": [2],
    }
    assert closes["g1"][0].close_code == CloseCode.SESSION_REVOKED
    assert closes["g1"][0].reason


async def test_a_gateway_that_cannot_be_told_raises_nothing(clock: ManualClock) -> None:
    connections = Connections(RouteTable(MemoryCache(clock), clock), lambda _: None)
    await connections.change(7, lambda _: [connection(1, "full", 10), connection(2, "gone", 10)])
    sockets = GatewaySockets(connections, {("full", "b"): Stream(full=True)}, Metrics())
    await sockets.close(7, [10], CloseCode.KICKED)


async def test_routes_that_cannot_be_read_raise_nothing(clock: ManualClock) -> None:
    connections = Connections(RouteTable(AwayCache(clock), clock), lambda _: None)
    await GatewaySockets(connections, {}, Metrics()).close(7, [10], CloseCode.KICKED)


async def test_no_sessions_read_no_routes(clock: ManualClock) -> None:
    connections = Connections(RouteTable(AwayCache(clock), clock), lambda _: None)
    await GatewaySockets(connections, {}, Metrics()).close(7, [], CloseCode.KICKED)
