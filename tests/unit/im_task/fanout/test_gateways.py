"""A gateway that is gone is told from one that is out of reach, and neither holds fan-out up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from im_infra import error_table
from im_infra.discovery.abstract import Discovery, Node
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_proto.gateway.v1.gateway_pb2 import FanOut, GatewayRequest, GatewayResponse
from im_proto.route.v1.route_pb2 import Interest
from im_task.fanout import gateways as module
from im_task.fanout.gateways import StreamGateways

FAN_OUT = FanOut(conversation_id=1)
INTEREST = Interest(gateway_id="g1", boot_id="b1")


class Client:
    """A stream that answers with a number of connections, or fails as it is told."""

    def __init__(self, boot_id: str) -> None:
        self.peer = Peer("g1", boot_id)
        self.asked: list[GatewayRequest] = []
        self.error: ImError | None = None

    async def call(self, body: bytes, *, timeout_s: float) -> bytes:
        assert timeout_s <= 5
        if self.error is not None:
            raise self.error
        self.asked.append(GatewayRequest.FromString(body))
        return GatewayResponse(connections=3).SerializeToString()


class Place:
    """Where a gateway is looked for."""

    def __init__(self, client: Client | None, listed: Mapping[str, Node], *, timeout_s: float = 5) -> None:
        self.client = client
        self.listed = listed
        pool: Any = SimpleNamespace(find=lambda node_id: self.client if node_id == "g1" else None)
        discovery: Any = SimpleNamespace(nodes=lambda _service: self.listed)
        self.gateways = StreamGateways(
            cast("StreamPool", pool),
            discovery=cast("Discovery", discovery),
            timeout_s=timeout_s,
            metrics=Metrics(),
        )


def node(boot_id: str) -> dict[str, Node]:
    return {"g1": Node("gateway", "g1", boot_id, "in-process:gateway")}


async def test_a_living_gateway_gets_the_frame() -> None:
    client = Client("b1")
    assert await Place(client, node("b1")).gateways.fan_out(INTEREST, FAN_OUT)
    assert client.asked == [GatewayRequest(fan_out=FAN_OUT)]


@pytest.mark.parametrize("listed", [{}, node("b2")])
async def test_a_gateway_that_is_not_listed_or_of_another_boot_is_gone(listed: Mapping[str, Node]) -> None:
    assert not await Place(None, listed).gateways.fan_out(INTEREST, FAN_OUT)


async def test_a_stream_to_another_boot_asks_nothing() -> None:
    client = Client("b2")
    assert not await Place(client, node("b2")).gateways.fan_out(INTEREST, FAN_OUT)
    assert client.asked == []


async def test_a_frame_that_is_refused_is_raised() -> None:
    """The record may be to blame: the bus counts it."""
    client = Client("b1")
    client.error = ImError(error_table.FIELD_INVALID)
    with pytest.raises(ImError) as refused:
        await Place(client, node("b1")).gateways.fan_out(INTEREST, FAN_OUT)
    assert refused.value.reason is error_table.FIELD_INVALID


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[Place], None]]:
    monkeypatch.setattr(module, "SETTLE_S", 0.01)
    tasks: list[asyncio.Task[None]] = []
    yield lambda place: tasks.append(asyncio.create_task(place.gateways.run()))
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_asked(client: Client, count: int) -> list[GatewayRequest]:
    async with asyncio.timeout(5):
        while len(client.asked) < count:
            await asyncio.sleep(0.005)
    return client.asked


@pytest.mark.parametrize("boot_id", ["", "b1"])
async def test_one_out_of_reach_is_left_behind_and_told_to_check(
    boot_id: str, running: Callable[[Place], None]
) -> None:
    """Only the first frame waits for it; when it is back it is told before it gets anything further."""
    place = Place(None, node(boot_id), timeout_s=0.05)
    running(place)
    for conversation_id in (1, 2, 1):
        async with asyncio.timeout(0.5):
            assert await place.gateways.fan_out(INTEREST, FanOut(conversation_id=conversation_id))
    place.client = Client("b1")
    (check,) = await until_asked(place.client, 1)
    assert list(check.check_conversations.conversation_ids) == [1, 2]
    await place.gateways.fan_out(INTEREST, FAN_OUT)
    assert (await until_asked(place.client, 2))[1] == GatewayRequest(fan_out=FAN_OUT)


async def test_one_that_answers_too_late_is_left_behind(running: Callable[[Place], None]) -> None:
    client = Client("b1")
    client.error = ImError(error_table.DEADLINE_EXCEEDED)
    place = Place(client, node("b1"), timeout_s=0.05)
    running(place)
    assert await place.gateways.fan_out(INTEREST, FAN_OUT)
    await asyncio.sleep(0.05)
    client.error = None
    (check,) = await until_asked(client, 1)
    assert list(check.check_conversations.conversation_ids) == [1]


async def test_one_that_restarts_is_owed_nothing(running: Callable[[Place], None]) -> None:
    """Its connections are gone, and its new ones sync."""
    place = Place(None, node("b1"), timeout_s=0.02)
    running(place)
    assert await place.gateways.fan_out(INTEREST, FAN_OUT)
    place.client, place.listed = Client("b2"), node("b2")
    async with asyncio.timeout(5):
        while place.gateways._owed.targets():
            await asyncio.sleep(0.005)
    assert place.client.asked == []
