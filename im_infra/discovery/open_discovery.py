"""The one place that chooses a registry."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery, Node
from im_infra.discovery.settings import DiscoverySettings
from im_infra.discovery.static import StaticDiscovery
from im_infra.observability.metrics import Metrics
from im_infra.sql.abstract import Database


@asynccontextmanager
async def open_discovery(
    settings: DiscoverySettings, *, database: Database | None, clock: Clock, metrics: Metrics
) -> AsyncIterator[Discovery]:
    """The registry of that kind, open while the context is.

    Args:
        settings: which, and what it starts with.
        database: where the static one keeps worker leases, and etcd's are recorded as well; None: this process leases none.
        clock: wall and monotonic time, for the leases.
        metrics: counters.

    Raises:
        ValueError: an entry of `nodes` is not `service/node_id@host:port`.
        ImError: UNAVAILABLE: a shared registry does not answer.
        OSError: a certificate cannot be read.
    """
    match settings.kind:
        case "static":
            assert database is not None, "the static registry keeps worker leases in the database"
            yield StaticDiscovery([parse_node(entry) for entry in settings.nodes], database, clock)
        case "etcd":
            from im_infra.discovery.etcd.discovery import open_etcd  # noqa: PLC0415 - the embedded cluster never needs it

            async with open_etcd(settings.etcd, clock, metrics, database=database) as registry:
                yield registry


def parse_node(entry: str) -> Node:
    """The node that a settings entry describes; its boot is unknown.

    Raises:
        ValueError: it is not `service/node_id@host:port`.
    """
    name, at, address = entry.partition("@")
    service, slash, node_id = name.partition("/")
    if not (at and slash and service and node_id and ":" in address):
        raise ValueError(f"a node is written service/node_id@host:port, not {entry!r}")
    return Node(service=service, node_id=node_id, boot_id="", address=address)
