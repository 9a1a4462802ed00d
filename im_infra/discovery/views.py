"""What a registry lists, service by service, and those who follow its changes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from im_infra.discovery.abstract import Node

_NOBODY: Final[Mapping[str, Node]] = MappingProxyType({})


class Views:
    """The nodes of each service by node id; a view that was given never changes."""

    def __init__(self) -> None:
        self._views: dict[str, Mapping[str, Node]] = {}
        self._watchers: set[asyncio.Event] = set()

    def of(self, service: str) -> Mapping[str, Node]:
        """The present view; ask again for a newer one."""
        return self._views.get(service, _NOBODY)

    def replace(self, nodes: Iterable[Node]) -> None:
        """These are all there are; of two with the same name the later one counts."""
        views: dict[str, dict[str, Node]] = {}
        for node in nodes:
            views.setdefault(node.service, {})[node.node_id] = node
        # A view that is the same stays the same object: whoever made something of it need not make it again.
        self._views = {
            service: self._views[service] if self._views.get(service) == view else MappingProxyType(view)
            for service, view in views.items()
        }
        for watcher in self._watchers:
            watcher.set()

    async def watch(self, service: str) -> AsyncIterator[Mapping[str, Node]]:
        """The view now, and again after each change; changes that come while one is looked at are told as one."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        told: Mapping[str, Node] | None = None
        try:
            while True:
                changed.clear()
                view = self.of(service)
                if view != told:
                    told = view
                    yield view
                else:
                    await changed.wait()
        finally:
            self._watchers.discard(changed)
