"""The composition root of a process: the same services as anywhere, over the leaves that its settings name.

`im up` runs all four; `im serve` any of them, the others reached over gRPC.

Start: the internal port opens, not ready; leaves, each as soon as its engine is there; services; the port for other
processes' calls; only then the nodes are announced.

Stop, in this order: not ready, and marked as draining in discovery, so that nobody picks this process any more; the
gateway stops accepting, tells its clients to move and flushes; logic answers what it began and takes nothing new; repo
likewise; what runs is cancelled, task first finishing its records; the nodes are withdrawn; resources close in reverse.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import grpc
from pydantic import SecretStr

from im_cli.data_folder import DataFolder
from im_cli.process.key_watch import KeyWatch, token_keys
from im_cli.process.leaves import SERVICES, Identity, Leaves, open_leaves
from im_cli.process.patience import when_available
from im_cli.process.settings import ProcessSettings
from im_cli.secret_file import Secrets
from im_cli.version import installed_version
from im_gateway.app import Gateway, open_gateway
from im_infra.discovery.abstract import Node, Registration
from im_infra.ids.snowflake import Snowflake
from im_infra.internal_port import InternalPort
from im_infra.node_status import NodeStatus
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.readiness import Asked, look_at
from im_infra.rpc.channels import create_server, listen
from im_logic.app import open_logic
from im_logic.settings import Secrets as LogicSecrets
from im_proto.node.v1.node_pb2_grpc import add_NodeServiceServicer_to_server
from im_repo.app import open_repo
from im_repo.id_floor import read_id_floor
from im_task.app import open_task

_LOG: Final = logs.get(__name__)

_TELL_S: Final = 2.0
"""How long the registry may take to hear that a node drains; the drain does not depend on it."""

_FOUND_S: Final = 2.0
"""How long the parts of one process may take to find each other before it is called ready all the same."""
_LOOK_S: Final = 0.005

Run = Callable[[], Awaitable[None]]
Register = Callable[[grpc.aio.Server], None]


class Process:
    """A wired process; `run` it until it is told to stop.

    Args:
        internal: its health, readiness and metrics.
        status: what it tells operators.
        gateway: where it has one.
        runs: what works in the background, by name.
        drains: what finishes before that is cancelled, in order, by name.
        registrations: its nodes in discovery.
        drain_timeout_s: how long each of `drains` but the gateway's may take.
        awaited: what passes before it is called ready; nothing where that rests on other processes.
    """

    def __init__(
        self,
        *,
        internal: InternalPort,
        status: NodeStatus,
        gateway: Gateway | None,
        runs: dict[str, Run],
        drains: dict[str, Run],
        registrations: Sequence[Registration],
        drain_timeout_s: float,
        awaited: Mapping[str, Asked],
    ) -> None:
        self._internal = internal
        self._status = status
        self._gateway = gateway
        self._runs = runs
        self._drains = drains
        self._registrations = registrations
        self._drain_timeout_s = drain_timeout_s
        self._awaited = awaited

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
            await self._found(stop)
            on_ready()
            await stop.wait()
            await self._drain()
            for task in running:
                task.cancel()

    async def _found(self, stop: asyncio.Event) -> None:
        """Wait for what is awaited: the streams between the services open a moment after these run."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FOUND_S
        while not stop.is_set() and loop.time() < deadline:
            if not any(outcome.error for outcome in (await look_at(self._awaited)).values()):
                return
            await asyncio.sleep(_LOOK_S)

    async def _drain(self) -> None:
        self._internal.set_ready(False)
        self._status.draining = True
        await _within(_TELL_S, "discovery", self._tell_draining)
        if self._gateway is not None:
            await self._gateway.drain()
        for name, drain in self._drains.items():
            await _within(self._drain_timeout_s, name, drain)

    async def _tell_draining(self) -> None:
        for registration in self._registrations:
            await registration.set_draining()


async def _run(run: Run) -> None:
    await run()


async def _within(seconds: float, name: str, step: Run) -> None:
    """A step of the drain: what does not end in time, or cannot be done, is left to those who take over."""
    try:
        async with asyncio.timeout(seconds):
            await step()
    except TimeoutError:
        _LOG.warning("not drained in time", part=name, seconds=seconds)
    except Exception:  # noqa: BLE001 - the drain goes on whatever one step meets
        _LOG.exception("not drained", part=name)


def _asked(ask: Callable[[], Awaitable[object]]) -> Asked:
    """A check that passes when `ask` answers, whatever it says."""

    async def check() -> None:
        await ask()

    return check


class _Wiring:
    """Services as they are opened, in the order of who needs whom."""

    def __init__(
        self,
        settings: ProcessSettings,
        folder: DataFolder,
        leaves: Leaves,
        secrets: Secrets,
        stack: AsyncExitStack,
    ) -> None:
        self._settings = settings
        self._leaves = leaves
        self._secrets = secrets
        self._token_keys = token_keys(secrets, datetime.now(UTC))
        self._stack = stack
        keys_file = settings.secrets.file or folder.secrets
        self.runs: dict[str, Run] = {"keys": KeyWatch(keys_file, secrets, self._token_keys).run}
        self.drains: dict[str, Run] = {}
        self.checks: dict[str, Asked] = {}
        """What readiness rests on."""
        self.engines: dict[str, Asked] = {
            "cache": _asked(leaves.cache.epoch),
            "discovery": leaves.discovery.check,
        }
        """What this process uses and can go on without for a while; told to operators."""
        self.registers: dict[str, Register] = {}
        self.gateway: Gateway | None = None

    async def repo(self) -> None:
        """The data, and the only service that makes ids."""
        leaves = self._leaves
        assert leaves.database is not None, "opened wherever repo runs"
        floor_time = await leaves.database.read(read_id_floor)
        await when_available(
            "worker ids", lambda: leaves.lease.acquire(above=floor_time), patient=self._settings.is_distributed
        )
        repo = await self._stack.enter_async_context(
            open_repo(
                self._settings.repo,
                database=leaves.database,
                ids=Snowflake(leaves.lease, leaves.clock),
                me=leaves.peers["repo"],
                metrics=leaves.metrics,
                clock=leaves.clock,
                is_logic=lambda peer: peer.node_id in leaves.discovery.nodes("logic"),
                tracer=leaves.tracer_of("repo"),
            )
        )
        self.runs |= {"repo": repo.run, "lease": leaves.lease.run}
        self.drains["repo"] = repo.drain
        self.checks |= {"database": leaves.database.check, "ids": leaves.lease.check}
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
                secrets=LogicSecrets(keys=self._token_keys, refresh_key=SecretStr(self._secrets.refresh_secret)),
                tracer=leaves.tracer_of("logic"),
            )
        )
        self.runs["logic"] = logic.run
        self.drains["logic"] = logic.drain
        self.checks["repo"] = logic.check
        self.engines["bus"] = leaves.bus.check
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
                metrics=leaves.metrics,
                clock=leaves.clock,
                tracer=leaves.tracer_of("task"),
            )
        )
        self.runs["task"] = task.run
        self.checks["task"] = task.check
        self.engines["bus"] = leaves.bus.check

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
                tracer=leaves.tracer_of("gateway"),
                tracing=self._settings.tracing,
            )
        )
        self.runs["gateway"] = self.gateway.run
        self.checks |= self.gateway.health
        self.registers["gateway"] = self.gateway.register

    async def serve(self, status: NodeStatus) -> str:
        """Open the services to each other, and to other processes where an address to listen on is set.

        Returns:
            The address at which other processes reach them; empty: they do not.

        Raises:
            OSError: the address cannot be had.
        """
        servers: list[grpc.aio.Server] = []
        for service, register in self.registers.items():
            register(self._leaves.servers[service])
            servers.append(self._leaves.servers[service])
        address = ""
        if wanted := self._settings.rpc.listen:
            network = create_server()
            for register in self.registers.values():
                register(network)
            add_NodeServiceServicer_to_server(status, network)
            port = listen(network, wanted, self._leaves.credentials)
            address = self._settings.rpc.advertise or f"{wanted.rpartition(':')[0]}:{port}"
            servers.append(network)
        for server in servers:
            await server.start()
            self._stack.push_async_callback(server.stop, None)
        return address

    async def announce(self, address: str) -> list[Registration]:
        """Tell discovery that this process serves."""
        registrations: list[Registration] = []
        for service, peer in self._leaves.peers.items():
            node = Node(service, peer.node_id, peer.boot_id, address, installed_version())
            registrations.append(await self._stack.enter_async_context(self._leaves.discovery.register(node)))
        return registrations


@asynccontextmanager
async def open_process(
    settings: ProcessSettings, folder: DataFolder, secrets: Secrets, services: Collection[str] = SERVICES
) -> AsyncIterator[Process]:
    """Open every resource and wire `services`.

    Raises:
        SchemaError, StoreUnavailableError: the database cannot be used.
        OSError: a port is taken, or a certificate cannot be read.
    """
    me, metrics, checks = Identity.make(settings.rpc.name, services), Metrics(), dict[str, Asked]()
    async with AsyncExitStack() as stack:
        told = dict[str, Asked]()
        status = NodeStatus(
            version=installed_version(), boot_id=me.boot_id, services=tuple(me.peers), checks=told, metrics=metrics
        )
        internal = InternalPort(settings.internal.host, settings.internal.port, metrics, checks, status)
        internal.set_ready(False)
        await stack.enter_async_context(internal)
        leaves = await stack.enter_async_context(open_leaves(settings, folder, me, metrics))
        wiring = _Wiring(settings, folder, leaves, secrets, stack)
        opens = {"repo": wiring.repo, "logic": wiring.logic, "task": wiring.task, "gateway": wiring.open_gateway}
        for service in me.peers:
            await opens[service]()
        checks |= wiring.checks
        told |= wiring.engines | wiring.checks
        registrations = await wiring.announce(await wiring.serve(status))
        yield Process(
            internal=internal,
            status=status,
            gateway=wiring.gateway,
            runs=wiring.runs,
            drains=wiring.drains,
            registrations=registrations,
            drain_timeout_s=settings.rpc.drain_timeout_s,
            awaited={} if settings.is_distributed else checks,
        )
