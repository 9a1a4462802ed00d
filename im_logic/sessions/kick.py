"""Who makes room for whom. Pure.

A user's connections stand in the order they came. The newest connection of an instance (a tab, a process) replaces
older ones of the same; a device may have so many instances together; of a class of devices the newest so many stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

HELLO_LASTS_MS: Final = 15_000
"""A Hello is answered or given up by then. Clocks of gateways that differ by more than this decide nothing."""


class ConnectionKey(NamedTuple):
    """A connection, unique in the cluster."""

    gateway_id: str
    boot_id: str
    connection_id: int


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """A connection of the user, as the rule sees it."""

    key: ConnectionKey
    session_id: int
    device_id: str
    instance_id: str
    device_class: int
    hello_time: int = 0
    """When its Hello came, milliseconds since the epoch by its gateway's clock; 0: not told."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may live together."""

    instances: int
    """Of one device."""
    devices: Mapping[int, int]
    """Devices by class; absent or 0: no limit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one connection's coming means."""

    displaced: bool = False
    """It has itself lost its place to a newer device."""
    overtaken: bool = False
    """A newer connection of its own instance is there."""
    too_many_instances: bool = False
    """Its device is full; nobody makes room for it."""
    replaced: tuple[LiveConnection, ...] = ()
    """Older connections of its instance: they go."""
    kicked: tuple[LiveConnection, ...] = ()
    """Connections of other devices of its class: they go, and their sessions are marked."""

    @property
    def victims(self) -> tuple[LiveConnection, ...]:
        """Everybody who goes."""
        return self.replaced + self.kicked


def joined(connections: Sequence[LiveConnection], me: LiveConnection) -> list[LiveConnection]:
    """The connections with `me` in its place: last, but before those of its instance that came after it.

    A Hello may be overtaken on its way here by the next one of the same client, which had given it up.
    """
    others = [connection for connection in connections if connection.key != me.key]
    later = (
        index
        for index, connection in enumerate(others)
        if _same_instance(connection, me) and _came_after(connection, me)
    )
    place = next(later, len(others))
    return [*others[:place], me, *others[place:]]


def judge(
    connections: Sequence[LiveConnection], me: LiveConnection, *, limits: Limits, resumed: bool = False
) -> Verdict:
    """Decide for the connection `me`.

    Args:
        connections: the user's connections in the order they came, `me` among them.
        me: whose verdict it is; absent, it was thrown out meanwhile.
        limits: how many may live together.
        resumed: it goes on with a resume token: only its own instance makes room for it.
    """
    position = next((index for index, connection in enumerate(connections) if connection.key == me.key), None)
    newer = connections if position is None else connections[position + 1 :]
    if any(_same_instance(connection, me) for connection in newer):
        return Verdict(overtaken=True)
    if position is None:
        return Verdict(displaced=True)
    older = connections[:position]
    replaced = tuple(connection for connection in older if _same_instance(connection, me))
    if resumed:
        return Verdict(replaced=replaced)
    siblings = {connection.instance_id for connection in older if connection.device_id == me.device_id} - {
        me.instance_id
    }
    if len(siblings) >= limits.instances:
        return Verdict(too_many_instances=True)
    leaving = _crowded_out(connections, me.device_class, limits.devices.get(me.device_class, 0))
    if me.device_id in leaving:
        return Verdict(displaced=True)
    kicked = tuple(p for p in connections if p.device_class == me.device_class and p.device_id in leaving)
    return Verdict(replaced=replaced, kicked=kicked)


def _crowded_out(connections: Sequence[LiveConnection], device_class: int, limit: int) -> set[str]:
    """The devices of a class beyond the newest `limit`; a device is as new as its newest connection."""
    if limit <= 0:
        return set()
    newest_first = dict.fromkeys(
        connection.device_id for connection in reversed(connections) if connection.device_class == device_class
    )
    return set(list(newest_first)[limit:])


def _came_after(other: LiveConnection, me: LiveConnection) -> bool:
    """Exact at one gateway; between two by their clocks, over no longer than a Hello can be under way."""
    if other.key[:2] == me.key[:2]:
        return other.key.connection_id > me.key.connection_id
    return 0 < other.hello_time - me.hello_time <= HELLO_LASTS_MS


def _same_instance(one: LiveConnection, other: LiveConnection) -> bool:
    return one.device_id == other.device_id and one.instance_id == other.instance_id
