"""The composition root of a process: the same services as anywhere, over the leaves that its settings name.

`im up` runs all four; `im serve` any of them, the others reached over gRPC. Shutdown, in this order: not ready; the
gateway stops accepting, tells its clients to move and flushes; what runs is cancelled, task first finishing its records;
resources close in reverse.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
from pydantic import SecretStr

from im_cli.data_folder import DataFolder
from im_cli.process.leaves import SERVICES, Leaves, open_leaves
from im_cli.process.settings import ProcessSettings
from im_cli.secret_file import Secrets
from im_cli.version import installed_version
from im_gateway.app import Gateway, open_gateway
from im_infra.ids.snowflake import Snowflake
from im_infra.internal_port import InternalPort
from im_infra.rpc.channels import create_server
from im_logic.app import open_logic
from im_logic.settings import Secrets as LogicSecrets
from im_repo.app import open_repo
from im_task.app import open_task

Run = Callable[[], Awaitable[None]]
Check = Callable[[], Awaitable[None]]
Register = Callable[[grpc.aio.Server], None]


class Process:
    """A wired process; `run` it until it is told to stop.

    Args:
        internal: its health, readiness and metrics.
        gateway: where it has one.
        runs: what works in the background, by name.
    """

    def __init__(self, *, internal: InternalPort, gateway: Gateway | None, runs: dict[str, Run]) -> None:
        self._internal = internal
        self._gateway = gateway
        self._runs = runs

    @property
    def port(self) -> int:
        """The public port; 0 where there is no gateway."""
        return self._gateway.port if self._gateway else 0

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
            if self._gateway is not None:
                await self._gateway.drain()
            for task in running:
                task.cancel()


async def _run(run: Run) -> None:
    await run()


class _Wiring:
    """Services as they are opened, in the order of who needs whom."""

    def __init__(self, settings: ProcessSettings, leaves: Leaves, secrets: Secrets, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._leaves = leaves
        self._secrets = secrets
        self._token_keys = {key.key_id: SecretStr(key.secret) for key in secrets.signing_keys}
        self._stack = stack
        self.runs: dict[str, Run] = {}
        self.checks: dict[str, Check] = {"database": leaves.database.check}
        self.registers: dict[str, Register] = {}
        self.gateway: Gateway | None = None

    async def repo(self) -> None:
        """The data, and the only service that makes ids."""
        leaves = self._leaves
        await leaves.lease.acquire()
        repo = await self._stack.enter_async_context(
            open_repo(
                self._settings.repo,
                database=leaves.database,
                ids=Snowflake(leaves.lease, leaves.clock),
                me=leaves.peers["repo"],
                metrics=leaves.metrics,
                clock=leaves.clock,
                is_logic=lambda peer: peer.node_id in leaves.discovery.nodes("logic"),
            )
        )
        self.runs |= {"repo": repo.run, "lease": leaves.lease.run}
        self.checks["ids"] = leaves.lease.check
        self.registers["repo"] = repo.register

    async def logic(self) -> None:
        """Who may do what."""
        leaves = self._leaves
        logic = await self._stack.enter_async_context(
            open_logic(
                self._settings.logic,
                discovery=leaves.discovery,
                channels=leaves.channels,
                cache=leaves.cache,
                bus=leaves.bus,
                me=leaves.peers["logic"],
                metrics=leaves.metrics,
                clock=leaves.clock,
                secrets=LogicSecrets(
                    keys=self._token_keys,
                    active=self._secrets.active.key_id,
                    refresh_key=SecretStr(self._secrets.refresh_secret),
                ),
            )
        )
        self.runs["logic"] = logic.run
        self.checks["logic"] = logic.check
        self.registers["logic"] = logic.register

    async def task(self) -> None:
        """Large fan-out."""
        leaves = self._leaves
        task = await self._stack.enter_async_context(
            open_task(
                self._settings.task,
                discovery=leaves.discovery,
                channels=leaves.channels,
                cache=leaves.cache,
                bus=leaves.bus,
                me=leaves.peers["task"],
                clock=leaves.clock,
            )
        )
        self.runs["task"] = task.run
        self.checks["task"] = task.check

    async def open_gateway(self) -> None:
        """The edge."""
        leaves = self._leaves
        self.gateway = await self._stack.enter_async_context(
            open_gateway(
                self._settings.gateway,
                discovery=leaves.discovery,
                channels=leaves.channels,
                cache=leaves.cache,
                me=leaves.peers["gateway"],
                metrics=leaves.metrics,
                clock=leaves.clock,
                keys=self._token_keys,
                server_version=installed_version(),
            )
        )
        self.runs["gateway"] = self.gateway.run
        self.registers["gateway"] = self.gateway.register

    async def serve(self) -> None:
        """Open the services to each other, and to other processes where an address to listen on is set."""
        servers: list[grpc.aio.Server] = []
        for service, register in self.registers.items():
            register(self._leaves.servers[service])
            servers.append(self._leaves.servers[service])
        if address := self._settings.rpc.listen:
            network = create_server()
            for register in self.registers.values():
                register(network)
            network.add_insecure_port(address)
            servers.append(network)
        for server in servers:
            await server.start()
            self._stack.push_async_callback(server.stop, None)


@asynccontextmanager
async def open_process(
    settings: ProcessSettings, folder: DataFolder, secrets: Secrets, services: Collection[str] = SERVICES
) -> AsyncIterator[Process]:
    """Open every resource and wire `services`.

    Raises:
        SchemaError, StoreUnavailableError: the database cannot be used.
        OSError: a port is taken.
    """
    async with AsyncExitStack() as stack:
        leaves = await stack.enter_async_context(open_leaves(settings, folder, services))
        wiring = _Wiring(settings, leaves, secrets, stack)
        opens = {"repo": wiring.repo, "logic": wiring.logic, "task": wiring.task, "gateway": wiring.open_gateway}
        for service in SERVICES:
            if service in services:
                await opens[service]()
        await wiring.serve()
        internal = await stack.enter_async_context(
            InternalPort(settings.internal.host, settings.internal.port, leaves.metrics, wiring.checks)
        )
        yield Process(internal=internal, gateway=wiring.gateway, runs=wiring.runs)
