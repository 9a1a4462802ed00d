"""Who is listed: rules without I/O.

A lease that ends says that a process lost etcd, not that it is dead: it may hold thousands of sockets. So a node that
vanished is listed for some seconds more, and only time in which we could see etcd counts. Where many vanish at once, etcd or
the network before it is the likelier culprit: then each stays until it does not answer either.

A node that says that it leaves goes at once, and a newer boot of a name takes the place of the earlier one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from im_infra.discovery.abstract import Node

HOLD_S: Final = 15.0
"""How long a node that vanished is listed all the same."""
MASS_WINDOW_S: Final = 5.0
MASS_LEAST: Final = 3
MASS_SHARE: Final = 1 / 3
"""That many within the window, and more than that share of all, are too many to believe."""
FAILURES: Final = 3
FAILURES_WITHIN_S: Final = 10.0
"""A node of those is dropped once it did not answer so often in that time."""

Name = tuple[str, str]
"""Service and node id."""


@dataclass(slots=True)
class _Listed:
    node: Node
    vanished: float | None = None
    """Monotonic seconds; None: etcd lists it."""
    doubted: bool = False
    """It vanished with many others."""
    failures: tuple[float, ...] = ()
    """When it did not answer."""


class Liveness:
    """The nodes that are listed. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._listed: dict[Name, _Listed] = {}
        self._blind_since: float | None = None

    @property
    def nodes(self) -> list[Node]:
        """Those to use."""
        return [entry.node for entry in self._listed.values()]

    @property
    def doubted(self) -> list[Node]:
        """Those to try directly: what they answer decides."""
        return [entry.node for entry in self._listed.values() if entry.doubted]

    @property
    def waits(self) -> bool:
        """Somebody vanished and is listed all the same."""
        return any(entry.vanished is not None for entry in self._listed.values())

    def see(self, present: Iterable[Node], now: float) -> None:
        """All of etcd was read: after a start, or after it was away. What is missing vanished now, as far as we can tell."""
        blind_s = now - self._blind_since if self._blind_since is not None else 0.0
        self._blind_since = None
        names = set()
        for node in present:
            names.add(_name(node))
            self.put(node)
        for name, entry in self._listed.items():
            if name not in names:
                # Of those that had vanished before, the time in which we saw nothing does not count.
                entry.vanished = now if entry.vanished is None else entry.vanished + blind_s
        self._doubt_masses(now)

    def lose_sight(self, now: float) -> None:
        """Etcd is away: nobody is dropped until it was read again."""
        if self._blind_since is None:
            self._blind_since = now

    def put(self, node: Node) -> None:
        """A node was announced, or said something new of itself."""
        self._listed[_name(node)] = _Listed(node)

    def leave(self, service: str, node_id: str) -> None:
        """A node said that it is gone."""
        self._listed.pop((service, node_id), None)

    def vanish(self, service: str, node_id: str, now: float) -> None:
        """A node's lease ended."""
        entry = self._listed.get((service, node_id))
        if entry is not None and entry.vanished is None:
            entry.vanished = now
            self._doubt_masses(now)

    def answered(self, node: Node) -> None:
        """A doubted node answered a direct call: it is there, whatever etcd says."""
        entry = self._listed.get(_name(node))
        if entry is not None and entry.node.boot_id == node.boot_id:
            entry.failures = ()

    def failed(self, node: Node, now: float) -> None:
        """A doubted node did not answer."""
        entry = self._listed.get(_name(node))
        if entry is not None and entry.doubted and entry.node.boot_id == node.boot_id:
            entry.failures = (*(at for at in entry.failures if now - at <= FAILURES_WITHIN_S), now)

    def is_due(self, now: float) -> bool:
        """Whether somebody is to be dropped."""
        return self._blind_since is None and any(_is_due(entry, now) for entry in self._listed.values())

    def drop_due(self, now: float) -> bool:
        """Drop whom nothing keeps any more; says whether somebody was."""
        if self._blind_since is not None:
            return False
        due = [name for name, entry in self._listed.items() if _is_due(entry, now)]
        for name in due:
            del self._listed[name]
        return bool(due)

    def _doubt_masses(self, now: float) -> None:
        recent = [
            entry
            for entry in self._listed.values()
            if entry.vanished is not None and now - entry.vanished <= MASS_WINDOW_S
        ]
        if len(recent) >= MASS_LEAST and len(recent) > len(self._listed) * MASS_SHARE:
            for entry in recent:
                entry.doubted = True


def _is_due(entry: _Listed, now: float) -> bool:
    if entry.vanished is None:
        return False
    if entry.doubted:
        return len(entry.failures) >= FAILURES
    return now - entry.vanished >= HOLD_S


def _name(node: Node) -> Name:
    return node.service, node.node_id
