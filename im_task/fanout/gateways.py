"""Gateways, reached over the stream that task keeps to each of them."""

from im_infra import error_table
from im_infra.discovery.abstract import Discovery
from im_infra.errors import ImError
from im_infra.rpc.pool import StreamPool
from im_proto.gateway.v1.gateway_pb2 import FanOut, GatewayRequest, GatewayResponse
from im_proto.route.v1.route_pb2 import Interest


class StreamGateways:
    """Sends frames over the streams of a pool.

    Args:
        pool: the streams to gateways.
        discovery: tells a gateway that is gone from one that is out of reach for a moment.
        timeout_s: how long a gateway has.
    """

    def __init__(self, pool: StreamPool, *, discovery: Discovery, timeout_s: float) -> None:
        self._pool = pool
        self._discovery = discovery
        self._timeout_s = timeout_s

    async def fan_out(self, interest: Interest, fan_out: FanOut) -> bool:
        """Hand entries to one gateway: see `ports.Gateways`. Cancelling leaves the outcome unknown.

        An empty boot id stands for whichever boot is there.
        """
        client = self._pool.find(interest.gateway_id)
        if client is None:
            node = self._discovery.nodes("gateway").get(interest.gateway_id)
            if node is None or (interest.boot_id and node.boot_id not in {"", interest.boot_id}):
                return False
            raise ImError(error_table.UNAVAILABLE, f"gateway {interest.gateway_id} is out of reach")
        if client.peer is not None and interest.boot_id and client.peer.boot_id != interest.boot_id:
            return False
        request = GatewayRequest(fan_out=fan_out).SerializeToString()
        answer = GatewayResponse.FromString(await client.call(request, timeout_s=self._timeout_s))
        return answer.connections > 0
