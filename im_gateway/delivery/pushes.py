"""What logic pushes over the stream: frames for connections, ends of connections, changes of membership."""

from collections.abc import Callable, Iterable
from typing import Final

from im_gateway.codec.abstract import Outgoing
from im_gateway.connections.hub import Hub
from im_gateway.delivery.interest import Interests
from im_infra.aio import spawn
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.span_names import GATEWAY_PUSH
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.peer import Peer
from im_proto.gateway.v1.gateway_pb2 import CloseConnection, Deliver, GatewayPush, MembershipChange

_LOG: Final = logs.get(__name__)
_CLOSE_CODES: Final = frozenset(CloseCode)


class Pushes:
    """Takes pushes; returning means that they took effect here.

    Args:
        hub: the connections.
        interests: who is in which large conversation.
        on_unknown: hears of a connection that others believe to be here.
        tracer: records what becomes of sampled pushes.
    """

    def __init__(
        self, hub: Hub, interests: Interests, *, on_unknown: Callable[[int], None], tracer: Tracer = OFF
    ) -> None:
        self._hub = hub
        self._interests = interests
        self._on_unknown = on_unknown
        self._tracer = tracer

    def on_push(self, _peer: Peer, body: bytes) -> None:
        """One push. A connection that is gone is counted, and its route, which should have gone with it, is removed."""
        push = GatewayPush.FromString(body)
        if push.trace:
            self._traced(push)
        else:
            self._take(push)

    def _traced(self, push: GatewayPush) -> None:
        span = self._tracer.start(GATEWAY_PUSH, push.trace, connections=len(push.deliver.connection_ids))
        try:
            with span.active():
                self._take(push)
        finally:
            span.end()

    def _take(self, push: GatewayPush) -> None:
        kind = push.WhichOneof("push")
        if kind == "deliver":
            self._deliver(push.deliver)
        elif kind == "close_connection":
            self._close(push.close_connection)
        elif kind == "membership_change":
            self._change(push.membership_change)

    def _deliver(self, deliver: Deliver) -> None:
        connections, tally = self._hub.connections, self._hub.tally
        now = self._hub.monotonic()
        tally.pushed_frames += len(deliver.connection_ids) + len(deliver.bare_connection_ids)
        for connection_ids, user_ids, frame in (
            (deliver.connection_ids, deliver.user_ids, deliver.frame),
            (deliver.bare_connection_ids, deliver.bare_user_ids, deliver.bare_frame),
        ):
            if user_ids:
                self._deliver_to_users(deliver, user_ids, Outgoing(frame), now)
            if not connection_ids:
                continue
            outgoing = Outgoing(frame)
            for connection_id in connection_ids:
                connection = connections.get(connection_id)
                if connection is None:
                    tally.unknown_connections += 1
                    self._on_unknown(connection_id)
                elif deliver.ephemeral:
                    connection.push_ephemeral(outgoing, now)
                else:
                    connection.push(outgoing, now)

    def _deliver_to_users(self, deliver: Deliver, user_ids: Iterable[int], outgoing: Outgoing, now: float) -> None:
        """Where the sender does not know the connections, we do."""
        for user_id in user_ids:
            for connection in self._hub.of_user(user_id):
                if connection.connection_id == deliver.skip_connection_id:
                    continue
                self._hub.tally.pushed_frames += 1
                if deliver.ephemeral:
                    connection.push_ephemeral(outgoing, now)
                else:
                    connection.push(outgoing, now)

    def _close(self, close: CloseConnection) -> None:
        connection = self._hub.connections.get(close.connection_id)
        if connection is not None:
            code = CloseCode(close.close_code) if close.close_code in _CLOSE_CODES else CloseCode.RECONNECT
            connection.end(code, close.reason, kick=True)

    def _change(self, change: MembershipChange) -> None:
        if not change.from_seq:
            self._interests.go(change.conversation_id, change.user_id)
        elif self._interests.come(change):
            spawn(self._announce(change.conversation_id), name="gateway.announce")

    async def _announce(self, conversation_id: int) -> None:
        try:
            await self._interests.announce((conversation_id,))
        except ImError as error:
            _LOG.warning("interest not announced; the next sweep does", reason=error.reason.name)
