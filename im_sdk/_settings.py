"""The constants of a session, with the protocol's defaults. Times are seconds."""

from dataclasses import dataclass
from enum import Enum


class CatchUp(Enum):
    """Which conversations are read when their log has moved on."""

    ALL = "all"
    """Every one but large groups that are not viewed. For programs: each message becomes an event."""
    ON_SCREEN = "on_screen"
    """Those named by `Client.view`; the others are marked stale. For people's clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How a session behaves."""

    catch_up: CatchUp = CatchUp.ALL
    catch_up_limit: int | None = 1_000
    """Entries read per conversation when more were missed; the older ones are told as SKIPPED. None: all."""
    pipeline: int = 1
    """Unacknowledged sends per conversation. Above 1, sends no longer wait for each other, at a price: when the server
    refuses one for the moment (OVERLOADED, RATE_LIMITED) and takes the next, their order changes."""
    outbox_limit: int = 1_000
    """Messages waiting in the client; `send` raises OutboxFullError beyond."""
    acknowledge: bool = True
    """Tell the server what was received, which shows as two ticks to the sender."""
    device_id: str = ""
    """The installation."""
    instance_id: str = ""
    """The process."""
    client_version: str = "im-sdk-python/0.1.0"

    connect_timeout_s: float = 10
    hello_timeout_s: float = 10
    answer_timeout_s: float = 15
    """Without an answer for so long a request is repeated."""
    ping_interval_s: float = 45
    silence_limit_s: float = 110
    """A connection that is silent for so long is dead."""
    light_sync_interval_s: float = 300
    hold_min_s: float = 0.4
    """A message ahead of its predecessors waits for them from this …"""
    hold_max_s: float = 1.0
    """… to this long, at random, before the gap is read."""
    acknowledge_interval_s: float = 1.0
    acknowledge_members: int = 200
    """No receipts in larger groups."""
    pulls_at_once: int = 4
    """Conversations read at the same time."""
    held_pushes: int = 4_096
    """Pushes kept while the first sync runs; beyond, they are dropped and read by pull."""
