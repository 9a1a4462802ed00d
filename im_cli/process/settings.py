"""Settings of a process: every service's own tree, and what the process itself needs."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field

from im_gateway.settings import GatewaySettings
from im_infra.bus.settings import BusSettings
from im_infra.cache.settings import CacheSettings
from im_infra.discovery.settings import DiscoverySettings
from im_infra.observability.settings import TracingSettings
from im_infra.rpc.settings import RpcTlsSettings
from im_infra.settings import Section
from im_infra.sql.settings import SqlSettings
from im_logic.settings import LogicSettings
from im_repo.settings import RepoSettings
from im_task.settings import TaskSettings


class LogSettings(Section):
    """What is logged, and how."""

    format: Literal["console", "json"] = Field("console", description="For people, or one JSON object a line.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least severe level written.")


class InternalSettings(Section):
    """The internal port: health, readiness, metrics. Never public."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8090, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")


class RpcSettings(Section):
    """Calls between processes; inside one they need no socket."""

    listen: str = Field("", description="Address (host:port) for other processes' calls; empty: none. Never public.")
    advertise: str = Field(
        "", description="Address (host:port) at which others reach it; empty: the one it listens on."
    )
    name: str = Field(
        "1",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="This process's own name in the cluster, the same after a restart: its nodes are called service-name.",
    )
    drain_timeout_s: float = Field(
        5.0, ge=0, description="Seconds that logic, task and repo each have to finish what they began when stopping."
    )
    tls: RpcTlsSettings = RpcTlsSettings()


class SchedulerSettings(Section):
    """How the operating system gives this process its time."""

    policy: Literal["batch", "inherited"] = Field(
        "batch",
        description="batch: on Linux its threads do not interrupt others when they wake up (SCHED_BATCH); inherited: as it "
        "was started.",
    )


class SecretsSettings(Section):
    """What tokens are signed with: the same in every process of a cluster."""

    file: Path | None = Field(
        None,
        description="File that `im keys make` wrote; unset: the embedded cluster's own, in its data folder.",
    )


class ProcessSettings(Section):
    """Everything a process can be told."""

    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    internal: InternalSettings = InternalSettings()
    rpc: RpcSettings = RpcSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    secrets: SecretsSettings = SecretsSettings()
    sql: SqlSettings = SqlSettings()
    cache: CacheSettings = CacheSettings()
    bus: BusSettings = BusSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    gateway: GatewaySettings = GatewaySettings()
    logic: LogicSettings = LogicSettings()
    repo: RepoSettings = RepoSettings()
    task: TaskSettings = TaskSettings()

    @property
    def is_distributed(self) -> bool:
        """Processes find each other in a shared registry; engines may come up later, and secrets are handed out."""
        return self.discovery.kind != "static"

    @property
    def shares_memory(self) -> bool:
        """Gateway, logic and task must run in one process: what they share lies in its memory."""
        return not {self.cache.kind, self.bus.kind}.isdisjoint({"memory", "embedded"})

    def needs_database(self, services: Collection[str]) -> bool:
        """Whether a process of these services opens the database: repo does, and so do the embedded leaves."""
        return "repo" in services or not self.is_distributed or self.bus.kind == "embedded"

    def holds_data_folder(self, services: Collection[str]) -> bool:
        """Whether a process of these services works on the data folder of this machine."""
        return self.sql.kind == "sqlite" and self.needs_database(services)
