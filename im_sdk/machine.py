"""The session machine: the client's rules without sockets, clocks and tasks, to be driven by a program of one's own.

    session = Session(SessionSettings(...), access=AccessToken(token, expire_time), source=random.SystemRandom(),
                      now=time.monotonic(), wall_ms=time.time_ns() // 1_000_000)
    session.start(now)

After each call, do `take_commands()`, show `take_events()`, write `take_message()` until None, and call `tick(now)` at
`deadline()`. `im_sdk._runner` is an example of it in 250 lines.
"""

from im_sdk._commands import (
    Answered,
    CloseSocket,
    Command,
    DraftRenewed,
    OpenSocket,
    RefreshTokens,
    SendAcknowledged,
    SendRefused,
)
from im_sdk._credentials import AccessToken
from im_sdk._gap import Lost, Track
from im_sdk._ids import uuid7
from im_sdk._outbox import Draft
from im_sdk._session import Session
from im_sdk._settings import CatchUp, SessionSettings
from im_sdk._snapshot import Snapshot
from im_sdk._sync import SyncPoint

__all__ = [
    "AccessToken",
    "Answered",
    "CatchUp",
    "CloseSocket",
    "Command",
    "Draft",
    "DraftRenewed",
    "Lost",
    "OpenSocket",
    "RefreshTokens",
    "SendAcknowledged",
    "SendRefused",
    "Session",
    "SessionSettings",
    "Snapshot",
    "SyncPoint",
    "Track",
    "uuid7",
]
