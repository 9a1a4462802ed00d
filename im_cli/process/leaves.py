"""The leaves of a process: what its services stand on, opened once and shared by all of them."""

import secrets as random_source
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from im_cli.data_folder import DataFolder
from im_cli.process.settings import ProcessSettings
from im_cli.version import installed_version
from im_infra.bus.abstract import Bus
from im_infra.bus.open_bus import open_bus
from im_infra.cache.abstract import Cache
from im_infra.cache.open_cache import open_cache
from im_infra.clock import Clock, SystemClock
from im_infra.discovery.abstract import Discovery, Node
from im_infra.discovery.open_discovery import open_discovery
from im_infra.ids.worker_lease import WorkerLeaseKeeper
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process.server import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.sql.abstract import Database
from im_infra.sql.open_database import open_database
from im_repo.migrations.upgrade import require_head, upgrade

SERVICES: Final = ("repo", "logic", "task", "gateway")


@dataclass(frozen=True, slots=True)
class Leaves:
    """What the services of a process share."""

    clock: Clock
    metrics: Metrics
    database: Database
    discovery: Discovery
    cache: Cache
    bus: Bus
    channels: Channels
    lease: WorkerLeaseKeeper
    peers: dict[str, Peer]
    """This process's node of each of its services."""
    servers: dict[str, InProcessServer]
    """What each of them serves, without a socket."""


@asynccontextmanager
async def open_leaves(
    settings: ProcessSettings, folder: DataFolder, services: Collection[str]
) -> AsyncIterator[Leaves]:
    """Open them for `services`, and announce those.

    Raises:
        SchemaError: the database's schema is not this version's, and repo is not among the services.
        StoreUnavailableError: the database cannot be opened.
    """
    clock, metrics, boot_id = SystemClock(), Metrics(), random_source.token_hex(8)
    peers = {service: Peer(f"{service}-{settings.rpc.number}", boot_id) for service in services}
    servers = {service: InProcessServer() for service in services}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.sql, folder.path))
        if "repo" in services:
            await database.write(upgrade)
        else:
            await database.read(require_head)
        discovery = await stack.enter_async_context(open_discovery(settings.discovery, database=database, clock=clock))
        for service, peer in peers.items():
            node = Node(service, peer.node_id, peer.boot_id, f"in-process:{service}", installed_version())
            await stack.enter_async_context(discovery.register(node))
        cache = await stack.enter_async_context(open_cache(settings.cache, clock=clock))
        bus = await stack.enter_async_context(open_bus(settings.bus, database=database, clock=clock, metrics=metrics))
        channels = Channels(servers)
        stack.push_async_callback(channels.close)
        lease = WorkerLeaseKeeper(discovery, clock)
        yield Leaves(clock, metrics, database, discovery, cache, bus, channels, lease, peers, servers)
