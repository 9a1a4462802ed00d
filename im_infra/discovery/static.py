"""The registry of a cluster whose nodes are known beforehand: one process, or a fixed list."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from im_infra import error_table
from im_infra.clock import Clock, SystemClock
from im_infra.discovery import lease_window
from im_infra.discovery.abstract import Node, WorkerLease
from im_infra.discovery.views import Views
from im_infra.discovery.worker_row import extend_worker, take_worker
from im_infra.errors import ImError
from im_infra.sql.abstract import Database


class StaticDiscovery:
    """A list of nodes, plus those that this process registers itself.

    Listed nodes are taken to be alive: whether they answer is found out by calling them. Worker leases lie in the
    database, recorded ahead of use; a lease is renewed by compare-and-set, so a holder that was passed over learns it.

    Args:
        nodes: those that are there from the start.
        database: where worker leases lie.
        clock: wall and monotonic time, for the leases.
    """

    def __init__(self, nodes: Sequence[Node], database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._listed = {(node.service, node.node_id): node for node in nodes}
        self._registered: dict[tuple[str, str], Node] = {}
        self._views = Views()
        self._changed()

    @asynccontextmanager
    async def register(self, node: Node) -> AsyncIterator["StaticRegistration"]:
        """Announce `node` while the context is open; it stands before a listed one of the same name."""
        name = (node.service, node.node_id)
        self._registered[name] = node
        self._changed()
        try:
            yield StaticRegistration(self, name)
        finally:
            self._registered.pop(name, None)
            self._changed()

    def nodes(self, service: str) -> Mapping[str, Node]:
        """The nodes of a service by node id: a view that never changes; ask again for a newer one."""
        return self._views.of(service)

    def watch(self, service: str) -> AsyncIterator[Mapping[str, Node]]:
        """The view now, and again after each change."""
        return self._views.watch(service)

    async def lease_worker(self, *, above: int = 0) -> WorkerLease:
        """Take a worker id whose recorded time has passed; see `abstract.Discovery.lease_worker`.

        Safe to cancel: at worst an id rests unused until its recorded time has passed.

        Raises:
            ImError: UNAVAILABLE when all ids are taken; any error of the database.
        """
        now_ms, asked_at = self._clock.now_ms(), self._clock.monotonic()
        taken = await self._database.write(
            lambda connection: take_worker(connection, now_ms, lease_window.first_high_time(now_ms, above))
        )
        if taken is None:
            raise ImError(error_table.UNAVAILABLE, "every worker id is taken", retry_after_ms=60_000)
        floor_time = max(taken.floor_time, above)
        return WorkerLease(taken.worker_id, floor_time, taken.high_time, lease_window.deadline(asked_at))

    async def renew_worker(self, lease: WorkerLease) -> WorkerLease:
        """Extend a lease and its high time, by at least the time that has passed though the wall clock stepped back.

        Safe to cancel: extended or not; if it was, the next renewal finds the lease lost and another is taken.

        Raises:
            ImError: UNAVAILABLE when it was lost; any error of the database.
        """
        now_ms, asked_at = self._clock.now_ms(), self._clock.monotonic()
        high_time = lease_window.extended_high_time(lease, now_ms, asked_at)
        extended = await self._database.write(
            lambda connection: extend_worker(connection, lease.worker_id, lease.high_time, high_time)
        )
        if not extended:
            raise ImError(error_table.UNAVAILABLE, f"the lease of worker id {lease.worker_id} was lost")
        return replace(lease, high_time=high_time, deadline=lease_window.deadline(asked_at))

    async def check(self) -> None:
        """A list always answers."""

    def set_draining(self, name: tuple[str, str]) -> None:
        """Mark a node of this process as draining; nothing if it is gone."""
        node = self._registered.get(name)
        if node is not None:
            self._registered[name] = replace(node, draining=True)
            self._changed()

    def _changed(self) -> None:
        self._views.replace({**self._listed, **self._registered}.values())


class StaticRegistration:
    """A node that this process announced."""

    def __init__(self, discovery: StaticDiscovery, name: tuple[str, str]) -> None:
        self._discovery = discovery
        self._name = name

    async def set_draining(self) -> None:
        """Tell everybody that this node stops soon."""
        self._discovery.set_draining(self._name)
