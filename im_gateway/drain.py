"""Stopping a gateway: a written list."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from im_gateway.codec import frames
from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub
from im_gateway.delivery.interest import Interests
from im_gateway.delivery.sweep import Sweep
from im_gateway.settings import DrainSettings
from im_gateway.transport.public_port import PublicPort
from im_infra.discovery.abstract import Discovery
from im_infra.error_table import CloseCode
from im_infra.observability import logs
from im_infra.rpc.peer import Peer

_LOG: Final = logs.get(__name__)
_TOLD_AT_ONCE: Final = 500
"""So many frames take about a millisecond or two."""
_LOOK_S: Final = 0.1
_CLEAN_UP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class DrainParts:
    """What draining needs."""

    hub: Hub
    port: PublicPort
    interests: Interests
    sweep: Sweep
    discovery: Discovery
    me: Peer
    settings: DrainSettings
    not_ready: Callable[[], None]
    """Makes readiness fail."""


async def drain(parts: DrainParts) -> None:
    """Stop: not ready → stop accepting → tell clients to leave, spread → answer, flush → remove own routes → close.

    Takes the window (`window_s`) and a few seconds, no longer than `longest_s`. Cancelling skips the rest; what the cache keeps then expires.
    """
    parts.not_ready()
    parts.port.stop_accepting()
    connections = list(parts.hub.connections.values())
    seconds = window_s(len(connections), others=_others(parts), settings=parts.settings)
    _LOG.info("draining", connections=len(connections), window_s=seconds)
    await _tell_to_leave(connections, seconds)
    await _while(lambda: any(each.open_requests for each in parts.hub.connections.values()), parts)
    parts.hub.flusher.flush_all()
    try:
        async with asyncio.timeout(_CLEAN_UP_S):
            await parts.sweep.remove_all()
            await parts.interests.withdraw_all()
    except TimeoutError:
        _LOG.warning("routes and interests not all removed; they expire")
    for connection in list(parts.hub.connections.values()):
        connection.end(CloseCode.GOING_AWAY, "this node stops")
    await _while(lambda: bool(parts.hub.connections), parts)
    _LOG.info("drained", left=len(parts.hub.connections))
    for connection in list(parts.hub.connections.values()):
        connection.abort()


def window_s(connections: int, *, others: bool, settings: DrainSettings) -> float:
    """Over how many seconds clients are told to leave."""
    if not connections:
        return 0.0
    spread = connections / settings.connections_per_s
    if not others:
        return min(spread, settings.alone_window_s)
    return min(max(spread, settings.min_window_s), _longest_window_s(settings))


def longest_s(settings: DrainSettings) -> float:
    """How many seconds a drain may take: whoever stops a gateway waits so long before killing it."""
    window = max(_longest_window_s(settings), settings.alone_window_s)
    return window + 2 * settings.flush_timeout_s + _CLEAN_UP_S


def _longest_window_s(settings: DrainSettings) -> float:
    return max(settings.max_window_s, settings.min_window_s)


async def _tell_to_leave(connections: Sequence[Connection], seconds: float) -> None:
    """Tell everybody the whole window: each chooses a moment of it, so that they leave evenly.

    Telling them one after the other on top of that would have most of them leave at its end.
    """
    go_away = Outgoing(frames.go_away_frame(round(seconds * 1000)))
    for number, connection in enumerate(connections, start=1):
        if connection.state == State.OPEN:
            connection.tell(go_away)
        elif connection.state < State.OPEN:
            connection.end(CloseCode.GOING_AWAY, "this node stops")
        if number % _TOLD_AT_ONCE == 0:
            await asyncio.sleep(0)
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if all(connection.state == State.CLOSED for connection in connections):
            return
        await asyncio.sleep(_LOOK_S)


async def _while(busy: Callable[[], bool], parts: DrainParts) -> None:
    """Wait while something is under way, but no longer than the flush may take."""
    deadline = parts.hub.monotonic() + parts.settings.flush_timeout_s
    while busy() and parts.hub.monotonic() < deadline:  # noqa: ASYNC110 - once in a process's life
        await asyncio.sleep(0.02)


def _others(parts: DrainParts) -> bool:
    nodes = parts.discovery.nodes("gateway")
    return any(node.node_id != parts.me.node_id and not node.draining for node in nodes.values())
