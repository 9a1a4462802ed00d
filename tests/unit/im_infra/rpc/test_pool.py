"""Streams that follow a discovery which the test moves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from im_infra import error_table
from im_infra.discovery.abstract import Node
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.rpc.pool import StreamPool
from im_infra.rpc.settings import StreamSettings
from im_infra.rpc.stream_server import StreamServer
from im_proto.repo.v1 import stream_pb2_grpc

SETTINGS = StreamSettings(reconnect_first_s=0.001, reconnect_max_s=0.01)
ME = Peer("logic-1", "a")


class Moving:
    """A discovery that lists what a test says, when it says so."""

    def __init__(self) -> None:
        self.views: asyncio.Queue[Mapping[str, Node]] = asyncio.Queue()

    def list(self, *nodes: Node) -> None:
        self.views.put_nowait({node.node_id: node for node in nodes})

    async def watch(self, _service: str) -> AsyncIterator[Mapping[str, Node]]:
        while True:
            yield await self.views.get()


class Repo(stream_pb2_grpc.RepoServiceServicer):
    """One node that answers with its name."""

    def __init__(self, name: str, servers: dict[str, InProcessServer]) -> None:
        self.node = Node("repo", name, "boot", f"in-process:{name}")
        self.streams = StreamServer(
            lambda _stream, _body, responder: responder.answer(name.encode()),
            me=Peer(name, "boot"),
            on_open=lambda stream: stream.drain() if self.drains_as_it_greets else None,
            settings=SETTINGS,
        )
        self.drains_as_it_greets = False
        self.server = servers[name] = InProcessServer()
        stream_pb2_grpc.add_RepoServiceServicer_to_server(self, self.server)

    async def Connect(self, request_iterator: Any, context: Any) -> None:  # noqa: N802 - gRPC's name
        await self.streams.serve(request_iterator, context)


class Cluster:
    """Three repo nodes and a pool of streams to those that are listed."""

    def __init__(self) -> None:
        servers: dict[str, InProcessServer] = {}
        self.one, self.two, self.three = (Repo(name, servers) for name in ("one", "two", "three"))
        self.discovery = Moving()
        self.pushes: list[tuple[str, bytes]] = []
        self.lost: list[tuple[str, bool]] = []
        self.pool = StreamPool(
            "repo",
            discovery=self.discovery,
            channels=Channels(servers),
            connect=lambda channel: stream_pb2_grpc.RepoServiceStub(channel).Connect(None),
            me=ME,
            on_push=lambda peer, body: self.pushes.append((peer.node_id, body)),
            on_lost=lambda peer, broken: self.lost.append((peer.node_id, broken)),
            settings=SETTINGS,
        )

    def ready(self) -> set[str]:
        return {name for name in ("one", "two", "three") if self.pool.find(name) is not None}

    def picked(self) -> set[str]:
        names = set()
        for key in range(100):
            peer = self.pool.pick(key).peer
            assert peer is not None
            names.add(peer.node_id)
        return names


@asynccontextmanager
async def running(pool: StreamPool) -> AsyncIterator[None]:
    task = asyncio.create_task(pool.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    cluster = Cluster()
    async with running(cluster.pool):
        yield cluster
    for repo in (cluster.one, cluster.two, cluster.three):
        await repo.server.stop()


async def test_without_a_ready_peer_it_is_unavailable(cluster: Cluster) -> None:
    with pytest.raises(ImError, match="no repo is ready") as caught:
        cluster.pool.pick(1)
    assert caught.value.reason is error_table.UNAVAILABLE
    with pytest.raises(ImError, match="no repo is ready"):
        await cluster.pool.check()


async def test_every_listed_peer_is_connected_and_shares_the_keys(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node, cluster.three.node)
    await until(lambda: len(cluster.ready()) == 3)
    assert cluster.picked() == {"one", "two", "three"}
    assert len(cluster.pool.all()) == 3
    assert await cluster.pool.pick(5).call(b"", timeout_s=5) in {b"one", b"two", b"three"}
    await cluster.pool.check()


async def test_it_can_be_waited_for(cluster: Cluster) -> None:
    waiting = asyncio.create_task(cluster.pool.wait_ready())
    cluster.discovery.list(cluster.one.node)
    async with asyncio.timeout(5):
        await waiting
    assert cluster.ready() == {"one"}


async def test_a_key_keeps_its_peer_when_another_one_goes(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node)
    await until(lambda: len(cluster.ready()) == 2)
    of_one = [key for key in range(50) if cluster.pool.pick(key) is cluster.pool.find("one")]
    cluster.discovery.list(cluster.one.node, cluster.two.node, cluster.three.node)
    await until(lambda: len(cluster.ready()) == 3)
    await cluster.three.server.stop()
    await until(lambda: len(cluster.ready()) == 2)
    assert [key for key in range(50) if cluster.pool.pick(key) is cluster.pool.find("one")] == of_one


async def test_a_broken_stream_takes_its_peer_out_at_once(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node)
    await until(lambda: len(cluster.ready()) == 2)
    await cluster.one.server.stop()
    await until(lambda: cluster.ready() == {"two"})
    assert cluster.picked() == {"two"}
    assert cluster.lost == [("one", True)]


async def test_a_peer_that_is_no_longer_listed_stays_while_its_stream_does(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node)
    await until(lambda: len(cluster.ready()) == 2)
    cluster.discovery.list(cluster.two.node)
    await until(cluster.discovery.views.empty)
    assert cluster.ready() == {"one", "two"}
    cluster.one.streams.streams[ME].close()
    await until(lambda: len(cluster.pool.all()) == 1)
    assert cluster.ready() == {"two"}


async def test_a_peer_that_goes_before_it_was_ready_is_forgotten(cluster: Cluster, until: Any) -> None:
    await cluster.one.server.stop()
    cluster.discovery.list(cluster.one.node)
    await until(lambda: len(cluster.pool.all()) == 1)
    cluster.discovery.list()
    await until(lambda: len(cluster.pool.all()) == 0)


async def test_a_peer_that_discovery_says_is_draining_is_not_picked(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node)
    await until(lambda: len(cluster.ready()) == 2)
    cluster.discovery.list(replace(cluster.one.node, draining=True), cluster.two.node)
    await until(lambda: cluster.ready() == {"two"})
    assert not cluster.lost


async def test_a_peer_that_drains_is_left_in_order(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node, cluster.two.node)
    await until(lambda: len(cluster.ready()) == 2)
    async with asyncio.timeout(5):
        await cluster.one.streams.drain()
    await until(lambda: cluster.lost)
    assert cluster.ready() == {"two"}
    assert cluster.lost == [("one", False)]


async def test_a_peer_that_drains_as_it_greets_is_left_in_order(cluster: Cluster, until: Any) -> None:
    cluster.one.drains_as_it_greets = True
    cluster.discovery.list(cluster.one.node)
    await until(lambda: cluster.lost)
    assert cluster.lost[0] == ("one", False)
    assert not cluster.ready()


async def test_pushes_come_with_their_peer(cluster: Cluster, until: Any) -> None:
    cluster.discovery.list(cluster.one.node)
    await until(lambda: cluster.one.streams.streams)
    cluster.one.streams.streams[ME].push(b"p")
    await until(lambda: cluster.pushes)
    assert cluster.pushes == [("one", b"p")]


async def test_the_end_of_a_pool_ends_its_streams(until: Any) -> None:
    cluster = Cluster()
    async with running(cluster.pool):
        cluster.discovery.list(cluster.one.node)
        await until(cluster.ready)
    await until(lambda: not cluster.one.streams.streams)
    assert not cluster.pool.all()
    assert not cluster.ready()
