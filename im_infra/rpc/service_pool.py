"""Unary calls to a service: stubs on the channels of its living nodes."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from im_infra import error_table
from im_infra.discovery.abstract import Discovery, Node
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels
from im_infra.rpc.core import rendezvous

Stub = TypeVar("Stub")


class ServicePool:
    """Picks a living node of one service for each call.

    A node whose channel is broken is left out at once, as long as another one is there: discovery lists a killed
    process for some seconds more, and a call with a key would meet it with every try.

    Args:
        service: as in discovery.
        discovery: who is alive.
        channels: the ways to them.
        chance: random in [0, 1), for calls without a key.
    """

    def __init__(
        self, service: str, *, discovery: Discovery, channels: Channels, chance: Callable[[], float] = random.random
    ) -> None:
        self._service = service
        self._discovery = discovery
        self._channels = channels
        self._chance = chance
        self._stubs: dict[tuple[str, object], Any] = {}
        """By address and class, of living nodes: making a stub costs more than an in-process call."""

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Stub], key: int | None = None) -> Stub:
        """A stub on a living node's channel, for one call; ask again for the next try.

        Args:
            stub_class: a generated stub class.
            key: the same key goes to the same node while that one lives; None: any.

        Raises:
            ImError: UNAVAILABLE: no node lives.
        """
        address = self._pick(key).address
        stub: Stub | None = self._stubs.get((address, stub_class))
        if stub is None:
            stub = stub_class(self._channels.get(address))
            living = {node.address for node in self._discovery.nodes(self._service).values()}
            self._stubs = {name: made for name, made in self._stubs.items() if name[0] in living}
            self._stubs[address, stub_class] = stub
        return stub

    def _pick(self, key: int | None) -> Node:
        living = list(self._discovery.nodes(self._service).values())
        if not living:
            raise ImError(error_table.UNAVAILABLE, f"no {self._service} is alive")
        nodes = [node for node in living if not node.draining] or living
        if len(nodes) > 1:
            nodes = [node for node in nodes if not self._channels.is_broken(node.address)] or nodes
        if key is None:
            return nodes[int(self._chance() * len(nodes))]
        return max(nodes, key=lambda node: rendezvous.weight(rendezvous.seed(node.node_id), key))
