"""Settings of a process: every service's own tree, and what the process itself needs."""

from typing import Literal

from pydantic import Field

from im_gateway.settings import GatewaySettings
from im_infra.bus.settings import BusSettings
from im_infra.cache.settings import CacheSettings
from im_infra.discovery.settings import DiscoverySettings
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
    number: int = Field(1, ge=1, description="Which of its kind: the node id of a service is service-number.")


class ProcessSettings(Section):
    """Everything a process can be told."""

    log: LogSettings = LogSettings()
    internal: InternalSettings = InternalSettings()
    rpc: RpcSettings = RpcSettings()
    sql: SqlSettings = SqlSettings()
    cache: CacheSettings = CacheSettings()
    bus: BusSettings = BusSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    gateway: GatewaySettings = GatewaySettings()
    logic: LogicSettings = LogicSettings()
    repo: RepoSettings = RepoSettings()
    task: TaskSettings = TaskSettings()
