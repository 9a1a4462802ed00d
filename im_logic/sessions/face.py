"""The room's face on the stream from gateways."""

from collections.abc import Coroutine
from typing import Any

from im_infra.clock import Clock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.peer import Peer
from im_logic.accounts.claims import Claims
from im_logic.accounts.convert import user_message
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import ConnectionKey
from im_logic.sessions.open_connection import Hello, OpenConnection, Opened, Wait
from im_proto.logic.v1 import stream_pb2
from im_proto.v1.session_pb2 import HelloResponse


class SessionFace:
    """Answers OpenConnection, AbandonConnection and CloseConnection.

    Args:
        open_connection: the operation.
        connections: where a closed one is taken out.
        clock: for the server's time in the answer.
        metrics: counts Hellos by outcome.
    """

    def __init__(
        self, open_connection: OpenConnection, connections: Connections, *, clock: Clock, metrics: Metrics
    ) -> None:
        self._open = open_connection
        self._connections = connections
        self._clock = clock
        self._waits: dict[ConnectionKey, Wait] = {}  # of Hellos under way, which credit bounds
        self._hellos = metrics.counter("im_logic_hellos_total")

    def open(self, gateway: Peer, request: stream_pb2.OpenConnection) -> Coroutine[Any, Any, bytes]:
        """Begin to open a connection; from here on it can be abandoned.

        Returns:
            What answers a serialised OpenedConnection, or raises what the operation raises.
        """
        hello = _hello_of(gateway, request)
        self._waits[hello.key] = hello.wait
        return self._finish(gateway, request, hello)

    def abandon(self, gateway: Peer, request: stream_pb2.AbandonConnection) -> None:
        """Nobody waits for a connection any more: it shall displace none. Too late, it is closed as any other."""
        wait = self._waits.get(ConnectionKey(gateway.node_id, request.boot_id, request.connection_id))
        if wait is not None:
            wait.abandoned = True

    async def close(self, request: stream_pb2.CloseConnection) -> bytes:
        """Take the route away; answers empty, and raises ImError(UNAVAILABLE): it then expires."""
        caller = request.caller
        key = ConnectionKey(caller.gateway_id, request.boot_id, caller.connection_id)
        await self._connections.remove(caller.user_id, key)
        return b""

    async def _finish(self, gateway: Peer, request: stream_pb2.OpenConnection, hello: Hello) -> bytes:
        credential = request.hello.WhichOneof("credential") or "none"
        try:
            opened = await self._open.open(hello)
        except ImError as error:
            self._hellos.labels(credential, error.reason.name).inc()
            raise
        finally:
            self._waits.pop(hello.key, None)
        self._hellos.labels(credential, "ok").inc()
        answer = self._answer(gateway, request.connection_id, opened)
        return answer.SerializeToString()

    def _answer(self, gateway: Peer, connection_id: int, opened: Opened) -> stream_pb2.OpenedConnection:
        session, user = opened.session, opened.user
        return stream_pb2.OpenedConnection(
            caller=stream_pb2.Caller(
                user_id=user.user_id,
                session_id=session.session_id,
                user_kind=user.kind,
                connection_id=connection_id,
                gateway_id=gateway.node_id,
                device_id=session.installation.device_id,
            ),
            hello=HelloResponse(
                user=user_message(user),
                session_id=session.session_id,
                resume_token=opened.resume_token,
                server_time=self._clock.now_ms(),
                world_conversation_id=opened.world_id,
                sync=opened.sync,
            ),
            large=[
                stream_pb2.LargeMembership(
                    conversation_id=membership.conversation_id,
                    from_seq=membership.from_seq,
                    member_version=membership.member_version,
                )
                for membership in opened.large
            ],
            expire_time=opened.expire_time,
            generation=session.generation,
            device_class=int(session.installation.device_class),
            instance_id=opened.instance_id,
            route_unstored=opened.route_unstored,
        )


def _hello_of(gateway: Peer, request: stream_pb2.OpenConnection) -> Hello:
    hello = request.hello
    is_access_token = hello.WhichOneof("credential") == "access_token"
    return Hello(
        key=ConnectionKey(gateway.node_id, request.boot_id or gateway.boot_id, request.connection_id),
        hello_time=request.hello_time,
        claims=_claims_of(request.claims) if is_access_token and request.HasField("claims") else None,
        ticket=hello.ticket,
        resume_token=hello.resume_token,
        device_id=hello.device_id,
        instance_id=hello.instance_id,
        take_over=hello.take_over,
        sync=hello.sync if hello.HasField("sync") else None,
    )


def _claims_of(claims: stream_pb2.Claims) -> Claims:
    return Claims(
        user_id=claims.user_id,
        session_id=claims.session_id,
        generation=claims.generation,
        user_kind=claims.user_kind,
        device_id=claims.device_id,
        device_class=claims.device_class,
        expire_time=claims.expire_time,
    )
