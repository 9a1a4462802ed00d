"""A gateway that is gone is told from one that is out of reach for a moment."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from im_infra import error_table
from im_infra.discovery.abstract import Discovery, Node
from im_infra.errors import ImError
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_proto.gateway.v1.gateway_pb2 import FanOut, GatewayRequest, GatewayResponse
from im_proto.route.v1.route_pb2 import Interest
from im_task.fanout.gateways import StreamGateways

FAN_OUT = FanOut(conversation_id=1)


class Client:
    """A stream that answers with a number of connections."""

    def __init__(self, boot_id: str) -> None:
        self.peer = Peer("g1", boot_id)
        self.asked: list[GatewayRequest] = []

    async def call(self, body: bytes, *, timeout_s: float) -> bytes:
        assert timeout_s == 5
        self.asked.append(GatewayRequest.FromString(body))
        return GatewayResponse(connections=3).SerializeToString()


def gateways(client: Client | None, listed: Mapping[str, Node]) -> StreamGateways:
    pool: Any = SimpleNamespace(find=lambda node_id: client if node_id == "g1" else None)
    discovery: Any = SimpleNamespace(nodes=lambda _service: listed)
    return StreamGateways(cast("StreamPool", pool), discovery=cast("Discovery", discovery), timeout_s=5)


def node(boot_id: str) -> dict[str, Node]:
    return {"g1": Node("gateway", "g1", boot_id, "in-process:gateway")}


async def test_a_living_gateway_gets_the_frame() -> None:
    client = Client("b1")
    assert await gateways(client, node("b1")).fan_out(Interest(gateway_id="g1", boot_id="b1"), FAN_OUT)
    assert client.asked == [GatewayRequest(fan_out=FAN_OUT)]


@pytest.mark.parametrize("listed", [{}, node("b2")])
async def test_a_gateway_that_is_not_listed_or_of_another_boot_is_gone(listed: Mapping[str, Node]) -> None:
    assert not await gateways(None, listed).fan_out(Interest(gateway_id="g1", boot_id="b1"), FAN_OUT)


async def test_a_stream_to_another_boot_asks_nothing() -> None:
    client = Client("b2")
    assert not await gateways(client, node("b2")).fan_out(Interest(gateway_id="g1", boot_id="b1"), FAN_OUT)
    assert client.asked == []


@pytest.mark.parametrize("boot_id", ["", "b1"])
async def test_a_listed_gateway_without_a_stream_is_tried_again(boot_id: str) -> None:
    with pytest.raises(ImError) as refused:
        await gateways(None, node(boot_id)).fan_out(Interest(gateway_id="g1", boot_id="b1"), FAN_OUT)
    assert refused.value.reason is error_table.UNAVAILABLE
