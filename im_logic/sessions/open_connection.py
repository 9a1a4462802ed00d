"""A connection says Hello.

The order is the promise (nothing is lost between what is read here and what is pushed from now on):

1. the credential is verified; a ticket or resume token is spent;
2. the route is written, with the kick policy judged in the same compare-and-set;
3. the session's state is read: whoever ends it either is seen here or sees the route;
4. whoever makes room is marked, taken out of the routes and told to go;
5. the heads are read, and beside them the large conversations, for the gateway's interest. Neither waits for the other: a
   user who comes into one meanwhile is told by the route, and the gateway tells where an interest stands when it begins.

A refusal from step 3 on takes the route back.

While the cache is away there are no routes: a connection opens all the same, since its session is read from the database,
nobody is asked to make room for it, and its gateway stores the route later. Whoever ends the session then is heard by the
gateways within two seconds all the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.error_table import CloseCode
from im_infra.errors import ImError
from im_infra.observability import logs
from im_logic.accounts.claims import Claims
from im_logic.accounts.model import Session, User
from im_logic.accounts.ports import AccountStore
from im_logic.accounts.standing import refusal
from im_logic.accounts.tickets import Tickets
from im_logic.accounts.tokens import encoded
from im_logic.sessions.connections import Connections
from im_logic.sessions.kick import ConnectionKey, Limits, LiveConnection, Verdict, joined, judge
from im_logic.sessions.ports import LargeConversations, LargeMembership, Sync
from im_logic.sessions.resume import ResumeTokens
from im_logic.sessions.sockets import GatewaySockets
from im_logic.sessions.take_over import Standing, displaced_by
from im_proto.v1.sync_pb2 import SyncRequest, SyncResponse

_LOG: Final = logs.get(__name__)

_MAX_TEXT: Final = 64
_INSTANCE_BYTES: Final = 9
_CLEAN_UP_S: Final = 2.0
_RETRY_AFTER_MS: Final = 1_000


class Wait:
    """Whether anybody still waits for the answer to a Hello."""

    __slots__ = ("abandoned",)

    def __init__(self) -> None:
        self.abandoned = False


class NobodyWaitsError(ImError):
    """The connection is gone, or its client has connected again since; one that is there after all tries again."""

    def __init__(self, wait: Wait) -> None:
        words = "the connection closed" if wait.abandoned else "a later connection of this instance came first"
        super().__init__(error_table.UNAVAILABLE, words, retry_after_ms=_RETRY_AFTER_MS)


@dataclass(frozen=True, slots=True)
class Hello:
    """What a connection says; exactly one of `claims`, `ticket` and `resume_token` is set."""

    key: ConnectionKey
    wait: Wait = field(default_factory=Wait, compare=False)
    hello_time: int = 0
    """When it came, milliseconds since the epoch by its gateway's clock; 0: not told."""
    claims: Claims | None = None
    """Of the access token, checked by the gateway."""
    ticket: str = ""
    resume_token: str = ""
    device_id: str = ""
    instance_id: str = ""
    take_over: bool = False
    sync: SyncRequest | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The session is open."""

    user: User
    session: Session
    instance_id: str
    """As the Hello named it, as its resume token stands for it, or a made-up one."""
    expire_time: int
    """When the socket must show a new access token, milliseconds since the epoch."""
    resume_token: str
    world_id: int
    large: list[LargeMembership]
    sync: SyncResponse | None
    route_unstored: bool = False
    """The cache is away: the gateway stores it once that is back."""


@dataclass(frozen=True, slots=True)
class _Credential:
    claims: Claims
    instance_id: str
    resume_token: str
    """The next one of a resumed chain; empty: a new chain begins."""

    @property
    def resumed(self) -> bool:
        return bool(self.resume_token)


class OpenConnection:
    """Opens connections."""

    def __init__(
        self,
        store: AccountStore,
        connections: Connections,
        sockets: GatewaySockets,
        tickets: Tickets,
        resume_tokens: ResumeTokens,
        large: LargeConversations,
        sync: Sync,
        *,
        limits: Limits,
        access_ttl_s: int,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._connections = connections
        self._sockets = sockets
        self._tickets = tickets
        self._resume_tokens = resume_tokens
        self._large = large
        self._sync = sync
        self._limits = limits
        self._access_ttl_ms = access_ttl_s * 1000
        self._clock = clock
        self._random = random

    async def open(self, hello: Hello) -> Opened:
        """Open a connection. Cancelled, it takes its route back.

        Raises:
            ImError: UNAUTHENTICATED, TICKET_INVALID, RESUME_INVALID, TOKEN_EXPIRED, SESSION_REVOKED, ACCOUNT_DISABLED,
                KICKED, TOO_MANY_INSTANCES, FIELD_INVALID, UNAVAILABLE (abandoned and overtaken ones get it too, where a
                client is there to hear it), and what a sync raises.
        """
        credential = await self._verify(hello)
        claims = credential.claims
        me = LiveConnection(
            key=hello.key,
            session_id=claims.session_id,
            device_id=claims.device_id,
            instance_id=credential.instance_id,
            device_class=claims.device_class,
            hello_time=hello.hello_time,
        )
        try:
            verdict = await self._join_if_stored(claims.user_id, me, hello.wait, resumed=credential.resumed)
            session, user = await self._standing(claims, take_over=hello.take_over)
            if verdict is not None and verdict.victims:
                await self._make_room(claims.user_id, me, verdict, hello.wait, resumed=credential.resumed)
            world_id = await self._large.world_id()
            large, resume_token, sync = await asyncio.gather(
                self._large.list_large(claims.user_id),
                self._next_token(credential),
                self._sync_if_asked(claims.user_id, hello.sync),
            )
        except BaseException:
            await self._take_back(claims.user_id, me.key)
            raise
        return Opened(
            user,
            session,
            credential.instance_id,
            claims.expire_time,
            resume_token,
            world_id,
            large,
            sync,
            route_unstored=verdict is None,
        )

    async def _verify(self, hello: Hello) -> _Credential:
        for name, text in (("device_id", hello.device_id), ("instance_id", hello.instance_id)):
            if len(text) > _MAX_TEXT or not text.isprintable():
                raise ImError(error_table.FIELD_INVALID, f"hello.{name}: at most {_MAX_TEXT} printable characters")
        if hello.resume_token:
            return await self._resume(hello)
        if hello.ticket:
            claims = await self._tickets.redeem(hello.ticket)
        elif hello.claims is not None:
            claims = hello.claims
        else:
            raise ImError(error_table.UNAUTHENTICATED, "Hello carries no credential")
        if hello.device_id and hello.device_id != claims.device_id:
            raise ImError(error_table.UNAUTHENTICATED, "the session was opened by another device")
        instance_id = hello.instance_id or encoded(self._random(_INSTANCE_BYTES))
        return _Credential(claims, instance_id, resume_token="")

    async def _resume(self, hello: Hello) -> _Credential:
        resumed = await self._resume_tokens.redeem(hello.resume_token)
        if hello.instance_id and hello.instance_id != resumed.instance_id:
            raise ImError(error_table.RESUME_INVALID, "the token is another instance's")
        # The token so far may have been renewed on the socket before; its client renews this one in time too.
        claims = replace(resumed.claims, expire_time=self._clock.now_ms() + self._access_ttl_ms)
        return _Credential(claims, resumed.instance_id, resumed.next_token)

    async def _join_if_stored(self, user_id: int, me: LiveConnection, wait: Wait, *, resumed: bool) -> Verdict | None:
        """As `_join`; None: the cache is away."""
        try:
            return await self._join(user_id, me, wait, resumed=resumed)
        except NobodyWaitsError:
            raise
        except ImError as error:
            if error.reason is not error_table.UNAVAILABLE:
                raise
            _LOG.debug("route not stored; its gateway does it later", gateway_id=me.key.gateway_id)
            return None

    async def _sync_if_asked(self, user_id: int, request: SyncRequest | None) -> SyncResponse | None:
        return await self._sync.sync(user_id, request) if request is not None else None

    async def _next_token(self, credential: _Credential) -> str:
        """Of the chain that is resumed, or the first of a new one.

        Empty where none can be stored: the next connection shows its access token.
        """
        if credential.resumed:
            return credential.resume_token
        try:
            return await self._resume_tokens.begin(credential.claims, instance_id=credential.instance_id)
        except ImError as error:
            if error.reason is not error_table.UNAVAILABLE:
                raise
            return ""

    async def _join(self, user_id: int, me: LiveConnection, wait: Wait, *, resumed: bool) -> Verdict:
        """Write the route and judge who must go; nobody does yet."""

        def join(present: list[LiveConnection]) -> list[LiveConnection]:
            connections = joined(present, me)
            verdict = judge(connections, me, limits=self._limits, resumed=resumed)
            if wait.abandoned or verdict.overtaken:
                raise NobodyWaitsError(wait)
            if verdict.too_many_instances:
                raise ImError(error_table.TOO_MANY_INSTANCES)
            return connections

        after = await self._connections.change(user_id, join)
        return judge(after, me, limits=self._limits, resumed=resumed)

    async def _standing(self, claims: Claims, *, take_over: bool) -> tuple[Session, User]:
        found = await self._store.find_session(claims.session_id)
        session, user = found if found is not None and found[0].user_id == claims.user_id else (None, None)
        reason = refusal(session, user, generation=claims.generation, take_over=take_over)
        if reason is not None or session is None or user is None:
            raise ImError(reason or error_table.SESSION_REVOKED)
        if session.displaced:
            session = await self._return_to_place(session)
        return session, user

    async def _return_to_place(self, session: Session) -> Session:
        """A person asked for it: the mark is lifted, and the class's other sessions make room."""
        restored = await self._store.restore(session.session_id)
        if restored is None or restored.revoked:
            raise ImError(error_table.SESSION_REVOKED)
        others = [
            _standing_of(other) for other in await self._store.list_sessions(session.user_id) if not other.displaced
        ]
        limit = self._limits.devices.get(session.installation.device_class, 0)
        leaving = displaced_by(_standing_of(session), others, limit=limit)
        await self._store.displace(leaving)
        await self._sockets.close(session.user_id, leaving, CloseCode.KICKED)
        return restored

    async def _make_room(
        self, user_id: int, me: LiveConnection, verdict: Verdict, wait: Wait, *, resumed: bool
    ) -> None:
        """Mark, then take out of the routes, then tell: a victim that connects meanwhile sees the mark or is seen."""
        marked = await self._mark(verdict, set())
        final = Verdict()

        def settle(present: list[LiveConnection]) -> list[LiveConnection]:
            nonlocal final
            final = judge(present, me, limits=self._limits, resumed=resumed)
            if wait.abandoned or final.overtaken:
                raise NobodyWaitsError(wait)
            leaving = {victim.key for victim in final.victims}
            return [other for other in present if other.key not in leaving]

        await self._connections.change(user_id, settle)
        if final.displaced:
            raise ImError(error_table.KICKED)
        await self._mark(final, marked)
        self._sockets.close_connections(final.replaced, CloseCode.REPLACED)
        self._sockets.close_connections(final.kicked, CloseCode.KICKED)

    async def _mark(self, verdict: Verdict, marked: set[int]) -> set[int]:
        sessions = {victim.session_id for victim in verdict.kicked} - marked
        if sessions:
            await self._store.displace(sorted(sessions))
        return marked | sessions

    async def _take_back(self, user_id: int, key: ConnectionKey) -> None:
        """Bounded: what cannot be taken back now expires by itself."""
        try:
            async with asyncio.timeout(_CLEAN_UP_S):
                await self._connections.remove(user_id, key)
        except (ImError, TimeoutError):
            _LOG.warning("route left to expire", gateway_id=key.gateway_id)


def _standing_of(session: Session) -> Standing:
    return Standing(session.session_id, int(session.installation.device_class), session.seen_time)
