"""The leaves of a process: what its services stand on, opened once and shared by all of them."""

import secrets as random_source
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from im_cli.data_folder import DataFolder
from im_cli.process.local_first import LocalFirst
from im_cli.process.patience import when_available
from im_cli.process.settings import ProcessSettings
from im_cli.version import installed_version
from im_infra.bus.abstract import Bus
from im_infra.bus.open_bus import open_bus
from im_infra.cache.abstract import Cache
from im_infra.cache.open_cache import open_cache
from im_infra.clock import Clock, SystemClock
from im_infra.discovery.abstract import Discovery
from im_infra.discovery.open_discovery import open_discovery
from im_infra.ids.worker_lease import WorkerLeaseKeeper
from im_infra.observability.metrics import Metrics
from im_infra.observability.otlp import TracerOf, open_tracing
from im_infra.rpc.channels import Channels
from im_infra.rpc.credentials import Credentials
from im_infra.rpc.in_process.server import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.sql.abstract import Database
from im_infra.sql.open_database import open_database
from im_repo.migrations.upgrade import require_head, upgrade

SERVICES: Final = ("repo", "logic", "task", "gateway")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a process is, from its start on."""

    boot_id: str
    peers: Mapping[str, Peer]
    """Its node of each of its services."""

    @classmethod
    def make(cls, name: str, services: Collection[str]) -> "Identity":
        """A fresh boot of the process of that name."""
        boot_id = random_source.token_hex(8)
        return cls(
            boot_id, {service: Peer(f"{service}-{name}", boot_id) for service in SERVICES if service in services}
        )


@dataclass(frozen=True, slots=True)
class Leaves:
    """What the services of a process share."""

    clock: Clock
    metrics: Metrics
    database: Database | None
    """Where repo runs, and wherever the other leaves are the embedded ones."""
    discovery: Discovery
    cache: Cache
    bus: Bus
    channels: Channels
    credentials: Credentials | None
    lease: WorkerLeaseKeeper
    peers: Mapping[str, Peer]
    """This process's node of each of its services."""
    servers: Mapping[str, InProcessServer]
    """What each of them serves, without a socket."""
    tracer_of: TracerOf


@asynccontextmanager
async def open_leaves(
    settings: ProcessSettings, folder: DataFolder, me: Identity, metrics: Metrics
) -> AsyncIterator[Leaves]:
    """Open them for the services of `me`. Engines that are not up yet are waited for; a file of this machine is not.

    Raises:
        SchemaError: the database's schema is not this version's, and repo is not among the services.
        StoreUnavailableError: the database's file cannot be opened.
        OSError: a certificate cannot be read.
    """
    clock, patient = SystemClock(), settings.is_distributed
    servers = {service: InProcessServer() for service in me.peers}
    credentials = Credentials.load(settings.rpc.tls)
    async with AsyncExitStack() as stack:

        async def enter(name: str, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
            return await when_available(name, lambda: stack.enter_async_context(open_()), patient=patient)

        # Closed last: what the others end while they close is told, too.
        tracer_of = await stack.enter_async_context(
            open_tracing(settings.tracing, version=installed_version(), instance=settings.rpc.name, metrics=metrics)
        )
        database: Database | None = None
        if settings.needs_database(me.peers):
            database = opened = await enter(
                "database", lambda: open_database(settings.sql, folder.path, metrics=metrics)
            )
            if "repo" in me.peers:
                await when_available("database", lambda: opened.write(upgrade), patient=patient)
            else:
                await opened.read(require_head)
        registry = await enter(
            "discovery", lambda: open_discovery(settings.discovery, database=database, clock=clock, metrics=metrics)
        )
        cache = await enter("cache", lambda: open_cache(settings.cache, clock=clock, metrics=metrics))
        bus = await enter(
            "bus",
            lambda: open_bus(settings.bus, database=database, clock=clock, metrics=metrics, node_id=settings.rpc.name),
        )
        channels = Channels(servers, credentials=credentials)
        stack.push_async_callback(channels.close)
        discovery = LocalFirst(registry, me.boot_id)
        lease = WorkerLeaseKeeper(registry, clock)
        yield Leaves(
            clock,
            metrics,
            database,
            discovery,
            cache,
            bus,
            channels,
            credentials,
            lease,
            me.peers,
            servers,
            tracer_of,
        )
