"""Streams to all living peers of one service."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import grpc

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery, Node
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels
from im_infra.rpc.core import rendezvous
from im_infra.rpc.core.client_end import ClientEnd
from im_infra.rpc.duplex import BidiCall
from im_infra.rpc.hop_metrics import AskingMetrics
from im_infra.rpc.peer import Peer
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.settings import StreamSettings
from im_infra.rpc.stream_client import StreamClient

_LOG: Final = logs.get(__name__)

__all__ = ["ServicePool", "StreamPool"]


class _Place(NamedTuple):
    """What makes a node another one for us: its boots at the same place are told by the stream itself."""

    node_id: str
    address: str


class _Member:
    """A node and the stream to it."""

    def __init__(self, node: Node, client: StreamClient) -> None:
        self.node = node
        self.client = client
        self.seed = rendezvous.seed(node.node_id)
        self.gone = False
        """Discovery does not list it; it stays while its stream does."""
        self.task: asyncio.Task[object] | None = None


class StreamPool:
    """One stream to each node of a service that discovery lists.

    A broken stream takes its peer out of `pick` at once. Discovery only adds: a node it stops listing stays while its
    stream is open, since a registry may fail when nodes do not.

    Args:
        service: as in discovery.
        discovery: who is alive.
        channels: the ways to them.
        connect: opens the stream over a channel: `lambda channel: RepoServiceStub(channel).Connect(None)`.
        me: who we are.
        on_push: takes a peer's push: see `StreamClient`.
        on_lost: a peer's stream ended; True: it broke and pushes may be lost.
        on_ready: a peer became ready or stopped being so.
        settings: limits and times of the streams.
        clock: where time comes from.
        metrics: where the streams are counted, and the hop's name; None: nowhere.
    """

    def __init__(
        self,
        service: str,
        *,
        discovery: Discovery,
        channels: Channels,
        connect: Callable[[grpc.aio.Channel], BidiCall],
        me: Peer,
        on_push: Callable[[Peer, bytes], None] | None = None,
        on_lost: Callable[[Peer, bool], None] | None = None,
        on_ready: Callable[[], None] | None = None,
        settings: StreamSettings | None = None,
        clock: Clock | None = None,
        metrics: tuple[Metrics, str] | None = None,
    ) -> None:
        self._service = service
        self._discovery = discovery
        self._channels = channels
        self._connect = connect
        self._me = me
        self._on_push = on_push
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._settings = settings
        self._clock = clock
        self._members: dict[_Place, _Member] = {}
        self._ready: list[_Member] = []
        self._changed = asyncio.Event()
        self._metrics = AskingMetrics(*metrics, self._ends) if metrics is not None else None

    def pick(self, key: int) -> StreamClient:
        """The ready peer for a key: the same one everywhere while it stays ready.

        Raises:
            ImError: UNAVAILABLE: none is ready.
        """
        ready = self._ready
        if len(ready) == 1:
            return ready[0].client
        if not ready:
            raise ImError(error_table.UNAVAILABLE, f"no {self._service} is ready")
        return max(ready, key=lambda member: rendezvous.weight(member.seed, key)).client

    def find(self, node_id: str) -> StreamClient | None:
        """The ready peer of that node, or None."""
        for member in self._ready:
            if member.node.node_id == node_id:
                return member.client
        return None

    def all(self) -> list[StreamClient]:
        """The streams to every member, ready or not."""
        return [member.client for member in self._members.values()]

    async def check(self) -> None:
        """For readiness.

        Raises:
            ImError: UNAVAILABLE: no peer is ready.
        """
        self.pick(0)

    async def wait_ready(self) -> None:
        """Wait until a peer is ready; set a deadline. Safe to cancel."""
        while not self._ready:
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Follow discovery and keep the streams. Cancelling ends them."""
        try:
            async with asyncio.TaskGroup() as tasks:
                async for nodes in self._discovery.watch(self._service):
                    self._follow(nodes, tasks)
        finally:
            self._members.clear()
            self._refresh()

    def _follow(self, nodes: Mapping[str, Node], tasks: asyncio.TaskGroup) -> None:
        listed = {_Place(node.node_id, node.address): node for node in nodes.values()}
        for place, node in listed.items():
            member = self._members.get(place)
            if member is None:
                member = self._members[place] = _Member(node, self._make(place))
                member.task = tasks.create_task(member.client.run(), name=f"rpc.stream {self._service}")
            member.node, member.gone = node, False
        for place, member in list(self._members.items()):
            if place not in listed:
                member.gone = True
                self._leave_if_lost(place)
        self._refresh()

    def _make(self, place: _Place) -> StreamClient:
        def on_push(body: bytes) -> None:
            assert client.peer is not None, "pushes come after the greeting"
            if self._on_push is not None:
                self._on_push(client.peer, body)

        def on_lost(broken: bool) -> None:  # noqa: FBT001 - StreamClient's signature
            assert client.peer is not None, "only open streams are lost"
            if self._on_lost is not None:
                self._on_lost(client.peer, broken)
            self._leave_if_lost(place)

        client = StreamClient(
            lambda: self._connect(self._channels.get(place.address)),
            me=self._me,
            on_push=on_push,
            on_lost=on_lost,
            on_ready=self._refresh,
            settings=self._settings,
            clock=self._clock,
            metrics=self._metrics,
        )
        return client

    def _ends(self) -> Iterable[ClientEnd]:
        ends = (member.client.end for member in self._members.values())
        return [end for end in ends if end is not None]

    def _leave_if_lost(self, place: _Place) -> None:
        member = self._members.get(place)
        if member is not None and member.gone and not member.client.ready:
            del self._members[place]
            assert member.task is not None, "a member runs"
            member.task.cancel()
            _LOG.info("peer left", service=self._service, peer=place.node_id)

    def _refresh(self) -> None:
        """Listed peers first: at the same node id the newer one is picked."""
        members = sorted(self._members.values(), key=lambda member: member.gone)
        self._ready = [member for member in members if member.client.ready and not member.node.draining]
        self._changed.set()
        if self._on_ready is not None:
            self._on_ready()
