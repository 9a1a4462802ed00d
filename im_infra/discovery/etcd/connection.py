"""Speaking to etcd: calls with deadlines, the token of our account, and what fails as an ImError.

The messages and stubs are aetcd's; its client is not used, since it knows no TLS and its one watcher outlives no error.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc
from aetcd import rpc

from im_infra import error_table
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError

Response = TypeVar("Response")

_Metadata = tuple[tuple[str, str], ...]
_STALE: Final = "invalid auth token"
"""What etcd answers when our token is too old, or it was restarted."""
_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 5_000),  # an etcd that hangs must be noticed while nothing is said
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.lb_policy_name", "pick_first"),
)


class EtcdConnection:
    """One connection to whichever endpoint answers.

    Args:
        settings: where it is, and who we are.
    """

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._prefix = settings.prefix.encode()
        self._metadata: _Metadata = ()
        target = "ipv4:" + ",".join(settings.endpoints) if _are_addresses(settings.endpoints) else settings.endpoints[0]
        self._channel = _channel(target, settings)
        self._auth: Any = rpc.AuthStub(self._channel)
        self._kv: Any = rpc.KVStub(self._channel)
        self._lease: Any = rpc.LeaseStub(self._channel)
        self._watch: Any = rpc.WatchStub(self._channel)
        self._maintenance: Any = rpc.MaintenanceStub(self._channel)

    async def close(self) -> None:
        """End it; calls under way fail."""
        await self._channel.close(None)

    def key(self, *parts: str) -> bytes:
        """`prefix/part/part`."""
        return self._prefix + "/".join(parts).encode()

    async def range(self, prefix: bytes) -> Any:  # noqa: ANN401 - generated without types
        """All keys that begin so, in order, and the revision at which that was so. Raises ImError(UNAVAILABLE)."""
        request = rpc.RangeRequest(key=prefix, range_end=prefix_end(prefix))
        return await self._call(lambda stub, **how: stub.Range(request, **how), self._kv)

    async def transact(self, request: Any) -> Any:  # noqa: ANN401 - as above
        """A transaction. Raises ImError(UNAVAILABLE); its outcome is then unknown."""
        return await self._call(lambda stub, **how: stub.Txn(request, **how), self._kv)

    async def grant(self, ttl_s: int) -> int:
        """A lease of so many seconds. Raises ImError(UNAVAILABLE)."""
        response = await self._call(
            lambda stub, **how: stub.LeaseGrant(rpc.LeaseGrantRequest(TTL=ttl_s), **how), self._lease
        )
        return int(response.ID)

    async def revoke(self, lease_id: int) -> None:
        """End a lease, and every key on it. Raises ImError(UNAVAILABLE)."""
        await self._call(lambda stub, **how: stub.LeaseRevoke(rpc.LeaseRevokeRequest(ID=lease_id), **how), self._lease)

    async def keep_alive(self, lease_id: int) -> bool:
        """Renew a lease; False: it ended already. Raises ImError(UNAVAILABLE)."""

        async def once(stub: Any, **how: Any) -> Any:  # noqa: ANN401 - as above
            stream = stub.LeaseKeepAlive(**how)
            try:
                await stream.write(rpc.LeaseKeepAliveRequest(ID=lease_id))
                return await stream.read()
            finally:
                stream.cancel()

        response = await self._call(once, self._lease)
        return response is not grpc.aio.EOF and response.TTL > 0  # type: ignore[attr-defined]  # the stubs forgot EOF

    async def status(self) -> Any:  # noqa: ANN401 - as above
        """Version, leader and size of the endpoint that answers. Raises ImError(UNAVAILABLE)."""
        return await self._call(lambda stub, **how: stub.Status(rpc.StatusRequest(), **how), self._maintenance)

    def watch(self) -> Any:  # noqa: ANN401 - as above
        """A stream of changes: `begin_watch` says which, `read_watch` reads them, its own `cancel` ends it."""
        return self._watch.Watch(metadata=self._metadata)

    async def begin_watch(self, stream: Any, prefix: bytes, revision: int) -> None:  # noqa: ANN401 - as above
        """Ask for what changes below a prefix from a revision on. Raises ImError(UNAVAILABLE)."""
        create = rpc.WatchCreateRequest(key=prefix, range_end=prefix_end(prefix), start_revision=revision)
        try:
            await stream.write(rpc.WatchRequest(create_request=create))
        except (grpc.RpcError, grpc.aio.BaseError) as error:
            raise _unavailable(error) from error

    async def read_watch(self, stream: Any) -> list[Any]:  # noqa: ANN401 - as above
        """The next changes, at least one; waits for as long as there are none.

        Raises:
            ImError: UNAVAILABLE: the stream ended, or what it wanted is compacted away: read everything anew.
        """
        while True:
            try:
                response = await stream.read()
            except (grpc.RpcError, grpc.aio.BaseError) as error:
                raise _unavailable(error) from error
            if response is grpc.aio.EOF or response.canceled or response.compact_revision:  # type: ignore[attr-defined]
                raise ImError(error_table.UNAVAILABLE, "etcd ended the watch")
            if response.events:
                return list(response.events)

    async def _call(self, method: Callable[..., Awaitable[Response]], stub: Any) -> Response:  # noqa: ANN401 - as above
        """Call, with a token; one that etcd does not know any more is asked for anew, once."""
        for attempt in (1, 2):
            if self._settings.user and not self._metadata:
                await self._authenticate()
            try:
                return await method(stub, timeout=self._settings.timeout_s, metadata=self._metadata)
            except (grpc.RpcError, grpc.aio.BaseError) as error:
                if attempt == 1 and self._metadata and _STALE in str(error):
                    self._metadata = ()
                    continue
                raise _unavailable(error) from error
        raise AssertionError("the second attempt returns or raises")

    async def _authenticate(self) -> None:
        request = rpc.AuthenticateRequest(name=self._settings.user, password=self._settings.password.get_secret_value())
        try:
            response = await self._auth.Authenticate(request, timeout=self._settings.timeout_s)
        except (grpc.RpcError, grpc.aio.BaseError) as error:
            raise _unavailable(error) from error
        self._metadata = (("token", response.token),)


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all those that begin with `prefix`, which ends in no 0xff."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _are_addresses(endpoints: tuple[str, ...]) -> bool:
    return all(endpoint.rpartition(":")[0].replace(".", "").isdigit() for endpoint in endpoints)


def _channel(target: str, settings: EtcdSettings) -> grpc.aio.Channel:
    if not settings.tls.enabled:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    tls = settings.tls
    ca = tls.ca.read_bytes() if tls.ca is not None else None
    chain = tls.certificate.read_bytes() if tls.certificate is not None else None
    key = tls.private_key.read_bytes() if tls.private_key is not None else None
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(ca, key, chain), options=_OPTIONS)


def _unavailable(error: BaseException) -> ImError:
    words = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
    return ImError(error_table.UNAVAILABLE, f"etcd: {words}", retry_after_ms=1_000)
