"""One process of a service, or of all, as a server that is started, watched, killed and stopped like an engine."""

import sys
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from im_cli.cluster.shape import Member
from im_cli.engines.engine import LOOPBACK, Engine
from im_cli.process.load_settings import load_settings
from im_cli.process.settings import ProcessSettings
from im_gateway import drain

READY_S: Final = 60.0
CLOSE_S: Final = 10.0
"""Besides its drain, for telling the registry before it and for closing everything after it."""
_ASK_S: Final = 2.0


def service(
    member: Member, *, folder: Path, config: Path, ports: "ServicePorts", settings: Mapping[str, str]
) -> Engine:
    """The process, not started. Its `port` is the internal one; it is ready when that says so.

    Args:
        member: which.
        folder: for its log.
        config: the settings that the whole cluster shares.
        ports: where it listens.
        settings: `IM_…` variables of its own.

    Raises:
        CommandError: USAGE: the settings cannot be used.
    """
    command = [
        *(sys.executable, "-m", "im_cli.main", "serve", *member.services, "--config", str(config)),
        *("--name", member.letter, "--listen", f"{LOOPBACK}:{ports.rpc}", "--internal-port", str(ports.internal)),
        *(("--port", str(ports.public)) if ports.public else ()),
    ]
    url = f"http://{LOOPBACK}:{ports.internal}/readyz"
    return Engine(
        member.name,
        command,
        folder,
        ports.internal,
        lambda: _is_ready(url),
        environment=settings,
        ready_s=READY_S,
        is_batch=False,
        stop_s=stop_s(member.services, load_settings(config, {}, variables=settings)),
    )


def stop_s(services: Collection[str], settings: ProcessSettings) -> float:
    """How many seconds the process of these services may take to end when asked to: its clients go first."""
    clients_s = drain.longest_s(settings.gateway.drain) if "gateway" in services else 0.0
    calls_s = settings.rpc.drain_timeout_s if set(services) - {"gateway"} else 0.0
    return clients_s + calls_s + CLOSE_S


class ServicePorts:
    """Where a process listens on loopback.

    Args:
        rpc: for the other processes' calls.
        internal: for health and metrics.
        public: for clients; 0: it has none.
    """

    def __init__(self, *, rpc: int, internal: int, public: int = 0) -> None:
        self.rpc = rpc
        self.internal = internal
        self.public = public


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_ASK_S) as answer:  # noqa: S310 - http on loopback
            ready: bool = answer.status == 200
            return ready
    except urllib.error.HTTPError as refused:
        refused.close()
        return False
