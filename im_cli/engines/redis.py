"""Redis: the shared cache of a distributed cluster. It keeps nothing on disk, since all of it can be published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from im_cli.engines.engine import LOOPBACK, Engine, Requirement, free_port

_SERVER: Final = Requirement("redis-server", "redis-server")
REQUIREMENTS: Final = (_SERVER,)

_TIMEOUT_S: Final = 5.0
_OPTIONS: Final = (
    "daemonize no",
    f"bind {LOOPBACK}",
    "protected-mode yes",
    'save ""',
    "appendonly no",
    "maxmemory 256mb",
    "maxmemory-policy noeviction",  # full, it refuses new keys; to evict a route would silently cut a user off
    "databases 1",
)


@dataclass(frozen=True, slots=True)
class RedisTls:
    """PEM files of the server; with them it refuses connections without TLS."""

    certificate: Path
    key: Path
    authority: Path
    """Signs the certificates of a cluster's nodes, by which they know each other."""


def redis(
    folder: Path,
    *,
    password: str,
    port: int = 0,
    tls: RedisTls | None = None,
    name: str = "redis",
    options: Sequence[str] = (),
) -> Engine:
    """A Redis in `folder`, not started.

    Args:
        folder: for its log and settings; made if absent.
        password: of the default user, which may do everything.
        port: where it listens on loopback; 0: one that is free now.
        tls: speak TLS, and nothing else.
        name: what it is called.
        options: further lines of its settings; each replaces an earlier one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    lines = [*_OPTIONS, f"dir {folder}", *_listening(port, tls), *_secret(password), *options]
    path = folder / f"{name}.conf"
    path.touch(mode=0o600)  # only its owner reads the password
    path.chmod(0o600)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def answers() -> bool:
        with redis_client(port, password=password, tls=tls) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    return Engine(name, [_SERVER.find() or _SERVER.program, str(path)], folder, port, answers)


def redis_client(port: int, *, password: str, tls: RedisTls | None = None) -> Redis:
    """An administrator's client for a Redis of this machine; it connects with its first command, and never retries."""
    return Redis(
        host=LOOPBACK,
        port=port,
        password=password,
        ssl=tls is not None,
        ssl_ca_certs=None if tls is None else str(tls.authority),
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _listening(port: int, tls: RedisTls | None) -> list[str]:
    if tls is None:
        return [f"port {port}"]
    return [
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {tls.certificate}",
        f"tls-key-file {tls.key}",
        f"tls-ca-cert-file {tls.authority}",
        "tls-auth-clients no",
        "tls-cluster yes",
    ]


def _secret(password: str) -> list[str]:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return [f'requirepass "{quoted}"', f'masterauth "{quoted}"']
