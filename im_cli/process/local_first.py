"""The registry as one process sees it: its own services are reached without a socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from im_infra.discovery.abstract import Discovery, Node, Registration, WorkerLease
from im_infra.rpc.channels import IN_PROCESS


class LocalFirst:
    """Wraps a registry: nodes of this process's boot get an in-process address, all others stay as they are.

    Args:
        registry: what the cluster shares.
        boot_id: of this process.
    """

    def __init__(self, registry: Discovery, boot_id: str) -> None:
        self._registry = registry
        self._boot_id = boot_id
        self._seen: dict[str, tuple[Mapping[str, Node], Mapping[str, Node]]] = {}

    def register(self, node: Node) -> AbstractAsyncContextManager[Registration]:
        """See `abstract.Discovery.register`; the node is announced with its own address."""
        return self._registry.register(node)

    def nodes(self, service: str) -> Mapping[str, Node]:
        """See `abstract.Discovery.nodes`."""
        view = self._registry.nodes(service)
        known = self._seen.get(service)
        if known is None or known[0] is not view:  # a view never changes, so neither does what is made of it
            known = self._seen[service] = (view, self._local(view))
        return known[1]

    async def watch(self, service: str) -> AsyncIterator[Mapping[str, Node]]:
        """See `abstract.Discovery.watch`."""
        async for view in self._registry.watch(service):
            yield self._local(view)

    async def lease_worker(self, *, above: int = 0) -> WorkerLease:
        """See `abstract.Discovery.lease_worker`."""
        return await self._registry.lease_worker(above=above)

    async def renew_worker(self, lease: WorkerLease) -> WorkerLease:
        """See `abstract.Discovery.renew_worker`."""
        return await self._registry.renew_worker(lease)

    async def check(self) -> None:
        """See `abstract.Discovery.check`."""
        await self._registry.check()

    def _local(self, view: Mapping[str, Node]) -> Mapping[str, Node]:
        return {
            node_id: replace(node, address=f"{IN_PROCESS}{node.service}") if node.boot_id == self._boot_id else node
            for node_id, node in view.items()
        }
