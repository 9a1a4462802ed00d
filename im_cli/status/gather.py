"""Asking discovery who is there, and each process how it is."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc
import httpx
from google.protobuf.json_format import Parse

from im_cli.process.leaves import SERVICES
from im_cli.process.settings import ProcessSettings
from im_infra.clock import SystemClock
from im_infra.discovery.abstract import Discovery, Node
from im_infra.discovery.open_discovery import open_discovery
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels
from im_infra.rpc.credentials import Credentials
from im_proto.node.v1.node_pb2 import GetStatusRequest, GetStatusResponse
from im_proto.node.v1.node_pb2_grpc import NodeServiceStub

ANSWER_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A process: what discovery lists of it, and what it says itself."""

    address: str
    nodes: Sequence[Node] = ()
    told: GetStatusResponse | None = None
    error: str = ""
    """Why it did not answer."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """All processes, and the engines as they see them."""

    processes: Sequence[ProcessStatus]
    engines: Mapping[str, "EngineStatus"] = field(default_factory=dict)

    @property
    def is_healthy(self) -> bool:
        """There is somebody, everybody answered, and nobody misses anything."""
        answered = all(process.told is not None for process in self.processes)
        return bool(self.processes) and answered and not any(engine.errors for engine in self.engines.values())


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One thing that processes stand on, as all processes that use it see it."""

    users: int
    slowest_ms: float
    errors: Mapping[str, str]
    """By the address of who has trouble with it."""


async def gather(settings: ProcessSettings) -> ClusterStatus:
    """Ask everybody, side by side, each for at most 3 s.

    Raises:
        ImError: UNAVAILABLE: discovery is away.
        OSError: a certificate cannot be read.
    """
    if settings.is_distributed:
        clock = SystemClock()
        async with open_discovery(settings.discovery, database=None, clock=clock, metrics=Metrics()) as discovery:
            processes = await _ask_all(discovery, Channels(credentials=Credentials.load(settings.rpc.tls)))
    else:
        processes = [await _ask_internal_port(settings)]
    return ClusterStatus(processes, summarise(processes))


def summarise(processes: Iterable[ProcessStatus]) -> dict[str, EngineStatus]:
    """What the processes say of each thing they rest on."""
    found: dict[str, EngineStatus] = {}
    for process in processes:
        for check in process.told.checks if process.told is not None else ():
            before = found.get(check.name, EngineStatus(0, 0.0, {}))
            errors = {**before.errors, process.address: check.error} if check.error else before.errors
            found[check.name] = EngineStatus(before.users + 1, max(before.slowest_ms, check.latency_ms), errors)
    return found


async def _ask_all(discovery: Discovery, channels: Channels) -> list[ProcessStatus]:
    by_address: dict[str, list[Node]] = {}
    for service in SERVICES:
        for node in discovery.nodes(service).values():
            by_address.setdefault(node.address, []).append(node)
    try:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(_ask(address, nodes, channels)) for address, nodes in by_address.items()]
    finally:
        await channels.close()
    return sorted((task.result() for task in asked), key=lambda process: process.nodes[0].node_id)


async def _ask(address: str, nodes: Sequence[Node], channels: Channels) -> ProcessStatus:
    stub = NodeServiceStub(channels.get(address))
    try:
        told = await stub.GetStatus(GetStatusRequest(), timeout=ANSWER_S)
    except grpc.aio.AioRpcError as error:
        return ProcessStatus(address, nodes, error=f"{error.code().name}: {error.details()}")
    return ProcessStatus(address, nodes, told)


async def _ask_internal_port(settings: ProcessSettings) -> ProcessStatus:
    """An embedded cluster is one process, which nobody announces: its internal port tells."""
    address = f"{settings.internal.host}:{settings.internal.port}"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S) as client:
            answer = (await client.get(f"http://{address}/status")).raise_for_status()
    except httpx.HTTPError as error:
        return ProcessStatus(address, error=str(error) or type(error).__name__)
    return ProcessStatus(address, told=Parse(answer.content, GetStatusResponse()))
