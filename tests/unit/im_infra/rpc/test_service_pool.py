import asyncio
from collections.abc import Mapping
from dataclasses import replace

import grpc
import pytest

from im_infra import error_table
from im_infra.discovery.abstract import Node
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels, create_server, listen
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.service_pool import ServicePool

NODES = {name: Node("repo", name, "b", f"in-process:{name}") for name in ("one", "two", "three")}


class Listed:
    """A discovery that lists what a test says."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.listed = dict(nodes)

    def nodes(self, _service: str) -> Mapping[str, Node]:
        return self.listed


class Stub:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel


CHANNELS = Channels({name: InProcessServer() for name in NODES})


def pool(nodes: Mapping[str, Node], chance: float = 0.0) -> ServicePool:
    return ServicePool("repo", discovery=Listed(nodes), channels=CHANNELS, chance=lambda: chance)


def name_of(stub: Stub) -> str:
    return next(name for name in NODES if CHANNELS.get(f"in-process:{name}") is stub.channel)


def test_without_a_key_any_node_is_taken() -> None:
    assert [name_of(pool(NODES, chance).stub(Stub)) for chance in (0.0, 0.5, 0.99)] == ["one", "two", "three"]


def test_a_key_keeps_its_node_while_that_one_lives() -> None:
    node = name_of(pool(NODES).stub(Stub, key=7))
    others = {name: NODES[name] for name in NODES if name != node}
    assert name_of(pool(NODES).stub(Stub, key=7)) == node
    assert name_of(pool(others).stub(Stub, key=7)) != node
    assert name_of(pool({**others, node: NODES[node]}).stub(Stub, key=7)) == node


def test_a_draining_node_is_taken_only_when_there_is_no_other() -> None:
    nodes = {"one": replace(NODES["one"], draining=True), "two": NODES["two"]}
    assert name_of(pool(nodes).stub(Stub)) == "two"
    assert name_of(pool({"one": nodes["one"]}).stub(Stub)) == "one"


def test_without_a_living_node_it_is_unavailable() -> None:
    with pytest.raises(ImError, match="no repo is alive") as caught:
        pool({}).stub(Stub)
    assert caught.value.reason is error_table.UNAVAILABLE


def test_a_stub_is_made_once_and_forgotten_with_its_node() -> None:
    listed = Listed({"one": NODES["one"]})
    service = ServicePool("repo", discovery=listed, channels=CHANNELS)
    stub = service.stub(Stub)
    assert service.stub(Stub) is stub
    listed.listed = {"two": NODES["two"]}
    service.stub(Stub)
    listed.listed = {"one": NODES["one"]}
    assert service.stub(Stub) is not stub


async def test_a_killed_process_is_left_out_though_discovery_lists_it() -> None:
    """Calls with a key that it had go to another one, and come back when it is there again."""
    servers = [create_server() for _ in range(2)]
    ports = [listen(server, "127.0.0.1:0", None) for server in servers]
    for server in servers:
        await server.start()
    nodes = {f"n{port}": Node("repo", f"n{port}", "b", f"127.0.0.1:{port}") for port in ports}
    channels = Channels()
    service = ServicePool("repo", discovery=Listed(nodes), channels=channels)

    def channel() -> grpc.aio.Channel:
        return service.stub(Stub, key=7).channel

    first = channel()
    await first.channel_ready()
    addresses = [node.address for node in nodes.values()]
    killed = next(number for number, address in enumerate(addresses) if channels.get(address) is first)
    await servers[killed].stop(None)
    async with asyncio.timeout(20):
        while channel() is first:
            await asyncio.sleep(0.02)
        back = create_server()
        listen(back, addresses[killed], None)
        await back.start()
        while channel() is not first:
            await asyncio.sleep(0.02)
    await channels.close()
    for server in (*servers, back):
        await server.stop(None)
