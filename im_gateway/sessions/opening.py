"""Opening a session: the Hello, and what is done before it is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from im_gateway.auth.access_token import AccessClaims, AccessTokenVerifier
from im_gateway.codec.abstract import Malformed
from im_gateway.connections.connection import Connection, State
from im_gateway.connections.hub import Hub
from im_gateway.limits.user_limits import UserLimitTable
from im_gateway.sessions.hello_rules import check_hello, close_code
from im_gateway.sessions.logic_link import LogicLink
from im_infra import error_table
from im_infra.aio import spawn
from im_infra.contract.command import command_head
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_client import StreamClient
from im_proto.logic.v1.stream_pb2 import (
    AbandonConnection,
    LargeMembership,
    LogicRequest,
    OpenConnection,
    OpenedConnection,
)
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.session_pb2 import HelloRequest, Limits
from im_proto.v1.sync_pb2 import SyncRequest

_LOG: Final = logs.get(__name__)

_ABANDON_TIMEOUT_S: Final = 2.0


class Interests(Protocol):
    """Who is interested in which large conversation."""

    world_id: int
    """The world room, 0 before anybody was told of one."""

    def join(self, connection: Connection, memberships: Sequence[LargeMembership]) -> tuple[int, ...]:
        """Take a connection in; the conversations that this gateway was not interested in before."""
        ...

    async def announce(self, conversation_ids: Sequence[int]) -> None:
        """Store the interest in these; raises ImError(UNAVAILABLE)."""
        ...


@dataclass(frozen=True, slots=True)
class OpeningParts:
    """What opening needs from elsewhere."""

    hub: Hub
    link: LogicLink
    verifier: AccessTokenVerifier
    limits: UserLimitTable
    interests: Interests
    store_later: Callable[[Connection], None]
    """Stores, once it can be, what could not be: a connection's route, an interest."""
    close: Callable[[Connection], None]
    """Tells logic that a connection is gone."""
    hello_was_good: Callable[[str], None]
    """Tells the admission of an address."""
    me: Peer
    server_version: str
    features: tuple[str, ...] = ()


class Opening:
    """Handles connections until their session is open.

    Args:
        parts: collaborators.
    """

    def __init__(self, parts: OpeningParts) -> None:
        self._parts = parts
        self._asked: dict[Connection, StreamClient] = {}  # those whose Hello is with logic, which credit bounds
        settings = parts.hub.settings.connections
        self._limits = Limits(
            max_frame_bytes=settings.max_frame_bytes,
            max_text_bytes=settings.max_text_bytes,
            max_custom_bytes=settings.max_custom_bytes,
            ping_interval_ms=int(settings.ping_interval_s * 1000),
        )

    def on_frames(self, connection: Connection, decoded: Sequence[ClientFrame | Malformed]) -> None:
        """Frames before the session is open: a Hello, once, first."""
        first, *rest = decoded
        if connection.state == State.NEW:
            if isinstance(first, Malformed):
                self._refuse(connection, first.request_id, ImError(error_table.FRAME_INVALID, first.message))
                return
            if first.WhichOneof("operation") != "hello":
                self._refuse(connection, first.request_id, ImError(error_table.HELLO_REQUIRED))
                return
            self._hello(connection, first.request_id, first.hello)
        else:
            rest = list(decoded)
        for frame in rest:
            connection.fail(frame.request_id, ImError(error_table.HELLO_REQUIRED, "wait for the answer to Hello"))

    def on_closed(self, connection: Connection) -> None:
        """A connection is gone that has no session yet: where logic is opening one, it must not displace the next."""
        client = self._asked.pop(connection, None)
        if client is not None:
            abandon = AbandonConnection(connection_id=connection.connection_id, boot_id=self._parts.me.boot_id)
            body = LogicRequest(abandon_connection=abandon).SerializeToString()
            client.request(body, _ignore, timeout_s=_ABANDON_TIMEOUT_S)

    def _hello(self, connection: Connection, request_id: int, hello: HelloRequest) -> None:
        parts = self._parts
        try:
            check_hello(
                credential=hello.WhichOneof("credential"),
                instance_id=hello.instance_id,
                client_version=hello.client_version,
                device_id=hello.device_id,
            )
            claims = self._claims(hello)
            # A ticket or resume token says nothing about its user yet: any process can redeem it.
            client = parts.link.pick(claims.user_id if claims else connection.connection_id)
        except ImError as error:
            self._refuse(connection, request_id, error)
            return
        request = OpenConnection(
            connection_id=connection.connection_id,
            boot_id=parts.me.boot_id,
            hello=hello,
            claims=claims.to_proto() if claims else None,
            address=connection.address,
            hello_time=parts.hub.clock.now_ms(),
        )
        connection.state = State.OPENING
        self._asked[connection] = client
        body = LogicRequest(open_connection=request).SerializeToString()
        key = claims.user_id if claims else connection.connection_id
        parts.link.request(client, key, body, partial(self._on_answer, connection, request_id, hello))

    def _claims(self, hello: HelloRequest) -> AccessClaims | None:
        if hello.WhichOneof("credential") != "access_token":
            return None
        claims = self._parts.verifier.verify(hello.access_token)
        if hello.device_id and hello.device_id != claims.device_id:
            raise ImError(error_table.UNAUTHENTICATED, "the token was given to another device_id")
        return claims

    def _on_answer(
        self,
        connection: Connection,
        request_id: int,
        hello: HelloRequest,
        body: bytes | None,
        error: ImError | None,
    ) -> None:
        self._asked.pop(connection, None)
        if body is None:
            self._refuse(connection, request_id, error or ImError(error_table.INTERNAL))
            return
        opened = OpenedConnection.FromString(body)
        self._take(connection, opened, hello)
        if connection.state != State.OPENING:
            self._parts.close(connection)  # the client went while logic opened its session: its route must go, too
            return
        self._parts.hub.on_session(connection)
        self._parts.interests.world_id = opened.hello.world_conversation_id
        new = self._parts.interests.join(connection, opened.large)
        if new or opened.route_unstored:
            sync = hello.sync if hello.HasField("sync") else None
            spawn(self._announce_and_answer(connection, request_id, opened, new, sync), name="gateway.announce")
        else:
            self._answer(connection, request_id, opened)

    async def _announce_and_answer(
        self,
        connection: Connection,
        request_id: int,
        opened: OpenedConnection,
        new: tuple[int, ...],
        sync: SyncRequest | None,
    ) -> None:
        """The first connection here of a large conversation: nothing of it reaches this gateway before the announcement.

        Logic read the heads before that, so a sync is read again; without one the client reads after our answer anyway.
        So it is where there is no route: until now, nothing was sent here for this user.
        """
        stored = not opened.route_unstored
        try:
            stored = await self._announce(new) and stored
            if sync is not None:
                frame = ClientFrame(sync=sync).SerializeToString()
                answer = ServerFrame.FromString(await self._parts.link.call(opened.caller, frame))
                opened.hello.sync.CopyFrom(answer.sync)
        except ImError as error:
            self._refuse(connection, request_id, error)
            return
        self._answer(connection, request_id, opened)
        if not stored:
            self._parts.store_later(connection)

    async def _announce(self, conversation_ids: tuple[int, ...]) -> bool:
        """Whether the interest in these is stored; the cache may be away."""
        try:
            await self._parts.interests.announce(conversation_ids)
        except ImError as error:
            _LOG.debug("interest not announced; it is done later", reason=error.reason.name)
            return False
        return True

    def _take(self, connection: Connection, opened: OpenedConnection, hello: HelloRequest) -> None:
        parts = self._parts
        now = parts.hub.monotonic()
        caller = opened.caller
        caller.connection_id = connection.connection_id
        caller.gateway_id = parts.me.node_id
        caller.exempt = connection.exempt
        connection.caller = caller
        connection.command_head = command_head(caller)
        connection.generation = opened.generation
        connection.instance_id = opened.instance_id or hello.instance_id
        connection.device_class = opened.device_class
        connection.limits = parts.limits.of(caller.user_id, now)
        connection.token_expires_at = now + (opened.expire_time - parts.hub.clock.now_ms()) / 1000

    def _answer(self, connection: Connection, request_id: int, opened: OpenedConnection) -> None:
        if connection.state != State.OPENING:
            return
        try:
            connection.logic = self._parts.link.pick(connection.user_id)
        except ImError as error:
            self._refuse(connection, request_id, error)
            return
        hello = opened.hello
        hello.limits.CopyFrom(self._limits)
        hello.features.extend(self._parts.features)
        hello.server_version = self._parts.server_version
        hello.connection_id = f"{self._parts.me.node_id}.{connection.connection_id}"
        connection.open(request_id, ServerFrame(hello=hello).SerializeToString())
        self._parts.hello_was_good(connection.address)

    def _refuse(self, connection: Connection, request_id: int, error: ImError) -> None:
        if connection.state >= State.ENDING:
            return
        if error.reason in {error_table.INTERNAL, error_table.UNAVAILABLE}:
            _LOG.warning("hello failed", reason=error.reason.name, error=error.message)
        connection.fail(request_id, error)
        code = close_code(error.reason)
        connection.end(code, error.reason.name)
        assert isinstance(code, CloseCode)


def _ignore(_body: bytes | None, _error: ImError | None) -> None:
    """What could not be abandoned is closed once it is open."""
