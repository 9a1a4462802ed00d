"""etcd: the registry of a distributed cluster, one member, with an account of the cluster's own."""

import http.client
import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from aetcd import rpc

from im_cli.engines.engine import LOOPBACK, Engine, Requirement, free_port

_SERVER: Final = Requirement("etcd", "etcd-server")
REQUIREMENTS: Final = (_SERVER,)

_PROBE_S: Final = 2.0
_ROOT: Final = "root"  # etcd's own name for who may do everything


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdAccount:
    """Who may come in, and the one prefix that is theirs."""

    password: str
    """Of the account, and of etcd's administrator `root`."""
    user: str = "im"
    prefix: str = "/im/"


@dataclass(frozen=True, slots=True)
class EtcdTls:
    """PEM files of the server; with them it refuses connections without TLS."""

    certificate: Path
    key: Path
    authority: Path
    """Signed the certificate; the probe trusts it."""


def etcd(
    folder: Path,
    account: EtcdAccount | None,
    *,
    port: int = 0,
    peer_port: int = 0,
    tls: EtcdTls | None = None,
    options: Sequence[str] = (),
) -> Engine:
    """An etcd in `folder`, not started. Once ready it knows the account, and nobody comes in without one.

    Args:
        folder: for its data and log; made if absent.
        account: may do everything under its prefix; None: anybody may do everything.
        port: where it listens for clients on loopback; 0: one that is free now.
        peer_port: where it would listen for other members; 0: one that is free now.
        tls: speak TLS, and nothing else.
        options: further options of `etcd`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, peer_port = port or free_port(), peer_port or free_port()
    scheme = "http" if tls is None else "https"
    command = [
        _SERVER.find() or _SERVER.program,
        "--name=etcd",
        f"--data-dir={folder / 'data'}",
        f"--listen-client-urls={scheme}://{LOOPBACK}:{port}",
        f"--advertise-client-urls={scheme}://{LOOPBACK}:{port}",
        f"--listen-peer-urls=http://{LOOPBACK}:{peer_port}",
        f"--initial-advertise-peer-urls=http://{LOOPBACK}:{peer_port}",
        f"--initial-cluster=etcd=http://{LOOPBACK}:{peer_port}",
        "--auto-compaction-mode=revision",  # old revisions go, or its file only grows
        "--auto-compaction-retention=1000",
        "--logger=zap",
        "--log-level=warn",
        *([f"--cert-file={tls.certificate}", f"--key-file={tls.key}"] if tls else []),
        *options,
    ]

    def is_ready() -> bool:
        if not _healthy(port, tls):
            return False
        if account is not None:
            with _channel(port, tls) as channel:
                _let_in(channel, account)
        return True

    return Engine("etcd", command, folder, port, is_ready)


def _healthy(port: int, tls: EtcdTls | None) -> bool:
    """Whether it has a leader and writes."""
    if tls is None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PROBE_S)
    else:
        context = ssl.create_default_context(cafile=str(tls.authority))
        connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=_PROBE_S, context=context)
    try:
        connection.request("GET", "/health")
        told = json.loads(connection.getresponse().read())
    except (http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return bool(told["health"] == "true")


@contextmanager
def _channel(port: int, tls: EtcdTls | None) -> Iterator[grpc.Channel]:
    target = f"{LOOPBACK}:{port}"
    if tls is None:
        channel = grpc.insecure_channel(target)
    else:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(tls.authority.read_bytes()))
    with channel:
        yield channel


def _let_in(channel: grpc.Channel, account: EtcdAccount) -> None:
    """Make the account and require one of everybody; what was done before stays."""
    if not _anybody_reads(channel):
        return
    stub: Any = rpc.AuthStub(channel)
    prefix = account.prefix.encode()
    permission = rpc.Permission(
        permType=rpc.Permission.READWRITE, key=prefix, range_end=prefix[:-1] + bytes([prefix[-1] + 1])
    )
    steps = (
        (stub.UserAdd, rpc.AuthUserAddRequest(name=_ROOT, password=account.password)),
        (stub.UserGrantRole, rpc.AuthUserGrantRoleRequest(user=_ROOT, role=_ROOT)),
        (stub.RoleAdd, rpc.AuthRoleAddRequest(name=account.user)),
        (stub.RoleGrantPermission, rpc.AuthRoleGrantPermissionRequest(name=account.user, perm=permission)),
        (stub.UserAdd, rpc.AuthUserAddRequest(name=account.user, password=account.password)),
        (stub.UserGrantRole, rpc.AuthUserGrantRoleRequest(user=account.user, role=account.user)),
        (stub.AuthEnable, rpc.AuthEnableRequest()),
    )
    for call, request in steps:
        try:
            call(request, timeout=_PROBE_S)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:  # it exists already
                raise OSError(error.details()) from error


def _anybody_reads(channel: grpc.Channel) -> bool:
    stub: Any = rpc.KVStub(channel)
    try:
        stub.Range(rpc.RangeRequest(key=b"x", count_only=True), timeout=_PROBE_S)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:  # "user name is empty"
            return False
        raise OSError(error.details()) from error
    return True
