"""Speaking to etcd: calls with deadlines, the token of our account, and what fails as an ImError.

The messages and stubs are aetcd's; its client is not used, since it knows no TLS and its one watcher outlives no error.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import grpc
from aetcd import rpc

from im_infra import error_table
from im_infra.aio import cancelled_from_outside, spawn
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError

Response = TypeVar("Response")

_Metadata = tuple[tuple[str, str], ...]
_STALE: Final = ("invalid auth token", "revision of auth store is old")
"""What etcd answers when our token is too old, it was restarted, or rights were changed."""
_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 10_000),  # an etcd that hangs must be noticed while a watch is silent; it allows 5 s
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
_LEADER: Final = ("hasleader", "true")
"""A watch ends when its member loses the others, instead of being silent for ever."""
_ELSEWHERE: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What another member may answer better."""


class EtcdConnection:
    """One connection, to one of the endpoints; where that does not answer, the next call goes to another.

    Args:
        settings: where it is, and who we are.

    Raises:
        OSError: a certificate cannot be read.
    """

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._prefix = settings.prefix.encode()
        self._credentials = _credentials(settings)
        self._endpoints = deque(settings.endpoints)
        self._member = _Member(self._endpoints[0], self._credentials)

    @property
    def endpoint(self) -> str:
        """The one that is asked now."""
        return self._member.endpoint

    async def close(self) -> None:
        """End it; calls under way fail."""
        await self._member.channel.close(None)

    def key(self, *parts: str) -> bytes:
        """`prefix/part/part`."""
        return self._prefix + "/".join(parts).encode()

    async def range(self, prefix: bytes) -> Any:  # noqa: ANN401 - generated without types
        """All keys that begin so, in order, and the revision at which that was so. Raises ImError(UNAVAILABLE)."""
        request = rpc.RangeRequest(key=prefix, range_end=prefix_end(prefix))
        return await self._call(lambda member, **how: member.kv.Range(request, **how))

    async def check(self) -> None:
        """Raise ImError(UNAVAILABLE) unless etcd answers, and speaks for a majority of its members."""
        request = rpc.RangeRequest(key=self._prefix, range_end=prefix_end(self._prefix), count_only=True)
        await self._call(lambda member, **how: member.kv.Range(request, **how))

    async def transact(self, request: Any) -> Any:  # noqa: ANN401 - as above
        """A transaction. Raises ImError(UNAVAILABLE); its outcome is then unknown."""
        return await self._call(lambda member, **how: member.kv.Txn(request, **how))

    async def grant(self, ttl_s: int) -> int:
        """A lease of so many seconds. Raises ImError(UNAVAILABLE)."""
        request = rpc.LeaseGrantRequest(TTL=ttl_s)
        response = await self._call(lambda member, **how: member.lease.LeaseGrant(request, **how))
        return int(response.ID)

    async def revoke(self, lease_id: int) -> None:
        """End a lease, and every key on it. Raises ImError(UNAVAILABLE)."""
        request = rpc.LeaseRevokeRequest(ID=lease_id)
        await self._call(lambda member, **how: member.lease.LeaseRevoke(request, **how))

    async def keep_alive(self, lease_id: int) -> bool:
        """Renew a lease; False: it ended already. Raises ImError(UNAVAILABLE)."""

        async def once(member: _Member, **how: Any) -> Any:  # noqa: ANN401 - as above
            stream = member.lease.LeaseKeepAlive(**how)
            try:
                await stream.write(rpc.LeaseKeepAliveRequest(ID=lease_id))
                return await stream.read()
            finally:
                stream.cancel()

        response = await self._call(once)
        return response is not grpc.aio.EOF and response.TTL > 0  # type: ignore[attr-defined]  # the stubs forgot EOF

    async def status(self) -> Any:  # noqa: ANN401 - as above
        """Version, leader and size of the endpoint that answers. Raises ImError(UNAVAILABLE)."""
        return await self._call(lambda member, **how: member.maintenance.Status(rpc.StatusRequest(), **how))

    def watch(self) -> Any:  # noqa: ANN401 - as above
        """A stream of changes: `begin_watch` says which, `read_watch` reads them, its own `cancel` ends it."""
        member = self._member
        return member.watch.Watch(metadata=(*member.metadata, _LEADER))

    async def begin_watch(self, stream: Any, prefix: bytes, revision: int) -> None:  # noqa: ANN401 - as above
        """Ask for what changes below a prefix from a revision on. Raises ImError(UNAVAILABLE)."""
        create = rpc.WatchCreateRequest(key=prefix, range_end=prefix_end(prefix), start_revision=revision)
        with _told_as_unavailable(self.endpoint):
            await stream.write(rpc.WatchRequest(create_request=create))

    async def read_watch(self, stream: Any) -> list[Any]:  # noqa: ANN401 - as above
        """The next changes, at least one; waits for as long as there are none.

        Raises:
            ImError: UNAVAILABLE: the stream ended, or what it wanted is compacted away: read everything anew.
        """
        while True:
            with _told_as_unavailable(self.endpoint):
                response = await stream.read()
            if response is grpc.aio.EOF or response.canceled or response.compact_revision:  # type: ignore[attr-defined]
                raise ImError(error_table.UNAVAILABLE, "etcd ended the watch")
            if response.events:
                return list(response.events)

    async def _call(self, method: Callable[..., Awaitable[Response]]) -> Response:
        """Call, with a token; one that etcd does not know any more is asked for anew, once.

        After a call that was not answered the next one asks for a token, too. An etcd that lost its data counts from the
        beginning, and before it judges a token it waits until it has applied as much as when that was given: for ever,
        if that was long before, so the call ends by its deadline and nothing says that the token is stale.
        """
        for attempt in (1, 2):
            member = self._member
            with _told_as_unavailable(member.endpoint):
                try:
                    if self._settings.user and not member.metadata:
                        member.metadata = await self._authenticate(member)
                    return await method(member, timeout=self._settings.timeout_s, metadata=member.metadata)
                except (grpc.RpcError, grpc.aio.BaseError) as error:
                    stale = bool(member.metadata) and any(words in str(error) for words in _STALE)
                    if stale or _code(error) in _ELSEWHERE:
                        member.metadata = ()
                    if stale and attempt == 1:
                        continue
                    self._turn_from(member, error)
                    raise
        raise AssertionError("the second attempt returns or raises")

    async def _authenticate(self, member: "_Member") -> _Metadata:
        request = rpc.AuthenticateRequest(name=self._settings.user, password=self._settings.password.get_secret_value())
        response = await member.auth.Authenticate(request, timeout=self._settings.timeout_s)
        return (("token", response.token),)

    def _turn_from(self, member: "_Member", error: BaseException) -> None:
        """A member that cannot answer is left, with every call and watch that is under way there."""
        if len(self._endpoints) > 1 and member is self._member and _code(error) in _ELSEWHERE:
            self._endpoints.rotate(-1)
            self._member = _Member(self._endpoints[0], self._credentials)
            spawn(member.channel.close(None), name="discovery.etcd.turn")


class _Member:
    """A member of etcd, and what is asked of it."""

    def __init__(self, endpoint: str, credentials: grpc.ChannelCredentials | None) -> None:
        self.endpoint = endpoint
        self.metadata: _Metadata = ()
        """Our token there."""
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(endpoint, options=_OPTIONS)
        else:
            self.channel = grpc.aio.secure_channel(endpoint, credentials, options=_OPTIONS)
        self.auth: Any = rpc.AuthStub(self.channel)
        self.kv: Any = rpc.KVStub(self.channel)
        self.lease: Any = rpc.LeaseStub(self.channel)
        self.watch: Any = rpc.WatchStub(self.channel)
        self.maintenance: Any = rpc.MaintenanceStub(self.channel)


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all those that begin with `prefix`, which ends in no 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _code(error: BaseException) -> grpc.StatusCode | None:
    return error.code() if isinstance(error, grpc.aio.AioRpcError) else None


def _credentials(settings: EtcdSettings) -> grpc.ChannelCredentials | None:
    tls = settings.tls
    if not tls.enabled:
        return None
    ca, chain, key = (
        None if path is None else path.read_bytes() for path in (tls.ca, tls.certificate, tls.private_key)
    )
    return grpc.ssl_channel_credentials(ca, key, chain)


@contextmanager
def _told_as_unavailable(endpoint: str) -> Iterator[None]:
    """Failures of gRPC become ImError(UNAVAILABLE).

    A call that another one closed the channel under, when it turned from the member, is one of them: gRPC tells it by the
    exception of a cancelled task, and whoever asked was not cancelled.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if cancelled_from_outside():
            raise
        words = "the member was left"
        raise ImError(error_table.UNAVAILABLE, f"etcd {endpoint}: {words}", retry_after_ms=1_000) from error
    except (grpc.RpcError, grpc.aio.BaseError) as error:
        words = str(error.details() if isinstance(error, grpc.aio.AioRpcError) else error)
        raise ImError(error_table.UNAVAILABLE, f"etcd {endpoint}: {words}", retry_after_ms=1_000) from error
