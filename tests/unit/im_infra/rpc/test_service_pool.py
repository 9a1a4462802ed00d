from collections.abc import Mapping
from dataclasses import replace

import grpc
import pytest

from im_infra import error_table
from im_infra.discovery.abstract import Node
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels
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
