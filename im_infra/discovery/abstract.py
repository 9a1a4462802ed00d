"""The promise of the family `discovery`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Node:
    """A living process that serves something."""

    service: str
    """`gateway`, `logic`, `repo` or `task`."""
    node_id: str
    boot_id: str
    address: str
    """`host:port` of its gRPC port, or `in-process:NAME`."""
    version: str = ""
    draining: bool = False


@dataclass(frozen=True, slots=True)
class WorkerLease:
    """A worker id that is ours until `deadline`, for times up to `high_time`."""

    worker_id: int
    floor_time: int
    """Milliseconds since the epoch: no id may carry a time at or below it, an earlier holder may have used those."""
    high_time: int
    """Milliseconds since the epoch: recorded ahead of use; no id may carry a later time."""
    deadline: float
    """`time.monotonic()` seconds at which issuing stops (⅔ of the lease after its last renewal)."""


class Discovery(Protocol):
    """Who is alive, and who has which worker id."""

    def register(self, node: Node) -> AbstractAsyncContextManager["Registration"]:
        """Announce `node` while the context is open; it is announced again after a lost lease."""
        ...

    def nodes(self, service: str) -> Mapping[str, Node]:
        """The nodes of a service by node id, from a local view that is kept while the registry is away."""
        ...

    def watch(self, service: str) -> AsyncIterator[Mapping[str, Node]]:
        """The view now, and again after each change."""
        ...

    async def lease_worker(self, *, above: int = 0) -> WorkerLease:
        """Take a free worker id whose recorded high time has passed.

        Args:
            above: no id may carry a time at or below it, whatever is recorded of the worker id; milliseconds since the
                epoch. Where it lies ahead of the wall clock, so does the lease's window.

        Raises:
            ImError: UNAVAILABLE when none is free or the registry is away.
        """
        ...

    async def renew_worker(self, lease: WorkerLease) -> WorkerLease:
        """Extend a lease and its high time.

        Raises:
            ImError: UNAVAILABLE when it was lost; the holder must stop issuing at its deadline.
        """
        ...

    async def check(self) -> None:
        """Raise ImError(UNAVAILABLE) unless the registry answers; what is known goes on being used all the same."""
        ...


class Registration(Protocol):
    """An announced node."""

    async def set_draining(self) -> None:
        """Tell everybody that this node stops soon."""
        ...
