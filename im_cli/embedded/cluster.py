"""The embedded cluster's composition root: the same services as anywhere, only the leaves differ.

Shutdown, in this order: not ready; the gateway stops accepting, tells its clients to move and flushes; what runs is
cancelled, task first finishing its records; resources close in reverse.
"""

import asyncio
import secrets as random_source
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from pydantic import SecretStr

from im_cli.data_folder import DataFolder
from im_cli.embedded.settings import EmbeddedSettings
from im_cli.secret_file import Secrets
from im_cli.version import installed_version
from im_gateway.app import Gateway, open_gateway
from im_infra.bus.open_bus import open_bus
from im_infra.cache.open_cache import open_cache
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Node
from im_infra.discovery.open_discovery import open_discovery
from im_infra.ids.snowflake import Snowflake
from im_infra.ids.worker_lease import WorkerLeaseKeeper
from im_infra.internal_port import InternalPort
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process.server import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.sql.open_database import open_database
from im_logic.app import open_logic
from im_logic.settings import Secrets as LogicSecrets
from im_repo.app import open_repo
from im_repo.migrations.upgrade import upgrade
from im_task.app import open_task

SERVICES: Final = ("repo", "logic", "task", "gateway")


class Embedded:
    """A wired cluster; `run` it until it is told to stop."""

    def __init__(
        self, *, gateway: Gateway, internal: InternalPort, runs: Mapping[str, Callable[[], Awaitable[None]]]
    ) -> None:
        self._gateway = gateway
        self._internal = internal
        self._runs = runs

    @property
    def port(self) -> int:
        """The public port."""
        return self._gateway.port

    @property
    def internal_port(self) -> int:
        """The internal port."""
        return self._internal.port

    async def run(self, *, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then drain. A part that crashes ends everything, loudly."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_run(run), name=f"{name}.run") for name, run in self._runs.items()]
            self._internal.set_ready(True)
            on_ready()
            await stop.wait()
            self._internal.set_ready(False)
            await self._gateway.drain()
            for task in running:
                task.cancel()


async def _run(run: Callable[[], Awaitable[None]]) -> None:
    await run()


@asynccontextmanager
async def open_embedded(settings: EmbeddedSettings, folder: DataFolder, secrets: Secrets) -> AsyncIterator[Embedded]:
    """Open every resource and wire the four services."""
    clock, metrics, boot_id = SystemClock(), Metrics(), random_source.token_hex(8)
    peers = {service: Peer(f"{service}-1", boot_id) for service in SERVICES}
    servers = {service: InProcessServer() for service in SERVICES}
    token_keys = {key.key_id: SecretStr(key.secret) for key in secrets.signing_keys}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings.sql, folder.path))
        await database.write(upgrade)
        discovery = await stack.enter_async_context(open_discovery(settings.discovery, database=database, clock=clock))
        for service, peer in peers.items():
            node = Node(service, peer.node_id, peer.boot_id, f"in-process:{service}", installed_version())
            await stack.enter_async_context(discovery.register(node))
        cache = await stack.enter_async_context(open_cache(settings.cache, clock=clock))
        bus = await stack.enter_async_context(open_bus(settings.bus, database=database, clock=clock, metrics=metrics))
        channels = Channels(servers)
        stack.push_async_callback(channels.close)
        lease = WorkerLeaseKeeper(discovery, clock)
        await lease.acquire()
        repo = await stack.enter_async_context(
            open_repo(
                settings.repo,
                database=database,
                ids=Snowflake(lease, clock),
                me=peers["repo"],
                metrics=metrics,
                clock=clock,
                is_logic=lambda peer: peer.node_id in discovery.nodes("logic"),
            )
        )
        logic = await stack.enter_async_context(
            open_logic(
                settings.logic,
                discovery=discovery,
                channels=channels,
                cache=cache,
                bus=bus,
                me=peers["logic"],
                metrics=metrics,
                clock=clock,
                secrets=LogicSecrets(
                    keys=token_keys,
                    active=secrets.active.key_id,
                    refresh_key=SecretStr(secrets.refresh_secret),
                ),
            )
        )
        task = await stack.enter_async_context(
            open_task(
                settings.task,
                discovery=discovery,
                channels=channels,
                cache=cache,
                bus=bus,
                me=peers["task"],
                clock=clock,
            )
        )
        gateway = await stack.enter_async_context(
            open_gateway(
                settings.gateway,
                discovery=discovery,
                channels=channels,
                cache=cache,
                me=peers["gateway"],
                metrics=metrics,
                clock=clock,
                keys=token_keys,
                server_version=installed_version(),
            )
        )
        for service, part in (("repo", repo), ("logic", logic), ("gateway", gateway)):
            part.register(servers[service])
        for server in servers.values():
            await server.start()
        internal = await stack.enter_async_context(
            InternalPort(
                settings.internal.host,
                settings.internal.port,
                metrics,
                {"database": database.check, "ids": lease.check, "logic": logic.check, "task": task.check},
            )
        )
        runs = {"repo": repo.run, "logic": logic.run, "task": task.run, "gateway": gateway.run, "lease": lease.run}
        yield Embedded(gateway=gateway, internal=internal, runs=runs)
