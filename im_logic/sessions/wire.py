"""Wiring of the room."""

from collections.abc import Callable

from im_infra.clock import Clock
from im_infra.observability.metrics import Metrics
from im_logic.accounts.ports import AccountStore
from im_logic.accounts.tickets import Tickets
from im_logic.accounts.wire import class_limits
from im_logic.sessions.connections import Connections
from im_logic.sessions.face import SessionFace
from im_logic.sessions.kick import Limits
from im_logic.sessions.open_connection import OpenConnection
from im_logic.sessions.ports import LargeConversations, Sync
from im_logic.sessions.resume import ResumeTokens
from im_logic.sessions.sockets import GatewaySockets
from im_logic.settings import SessionSettings


def wire_sessions(
    settings: SessionSettings,
    *,
    access_ttl_s: int,
    store: AccountStore,
    connections: Connections,
    sockets: GatewaySockets,
    tickets: Tickets,
    resume_tokens: ResumeTokens,
    large: LargeConversations,
    sync: Sync,
    clock: Clock,
    metrics: Metrics,
    random: Callable[[int], bytes],
) -> SessionFace:
    """What answers OpenConnection and CloseConnection."""
    open_connection = OpenConnection(
        store,
        connections,
        sockets,
        tickets,
        resume_tokens,
        large,
        sync,
        limits=Limits(instances=settings.max_instances, devices=class_limits(settings.devices)),
        access_ttl_s=access_ttl_s,
        clock=clock,
        random=random,
    )
    return SessionFace(open_connection, connections, clock=clock, metrics=metrics)
