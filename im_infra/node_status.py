"""NodeService: a process tells operators how it is."""

from collections.abc import Mapping
from typing import Any

import psutil

from im_infra.observability.metrics import Metrics
from im_infra.readiness import Asked, look_at
from im_proto.node.v1.node_pb2 import Check, GetStatusRequest, GetStatusResponse
from im_proto.node.v1.node_pb2_grpc import NodeServiceServicer


class NodeStatus(NodeServiceServicer):
    """Answers GetStatus.

    Args:
        version: of the software.
        boot_id: of this process.
        services: which of the four run here.
        checks: what it stands on, whether readiness rests on it or not; looked at anew each time.
        metrics: of the process; all gauges are told as load.
    """

    def __init__(
        self, *, version: str, boot_id: str, services: tuple[str, ...], checks: Mapping[str, Asked], metrics: Metrics
    ) -> None:
        self._version = version
        self._boot_id = boot_id
        self._services = services
        self._checks = checks
        self._metrics = metrics
        self._process = psutil.Process()
        self.draining = False
        """Told to whoever asks; set it when the process begins to stop."""

    async def describe(self) -> GetStatusResponse:
        """How the process is now; takes as long as its slowest check, a second at most."""
        outcomes = await look_at(self._checks)
        cpu = self._process.cpu_times()
        return GetStatusResponse(
            version=self._version,
            boot_id=self._boot_id,
            services=self._services,
            start_time=int(self._process.create_time() * 1000),
            draining=self.draining,
            cpu_s=cpu.user + cpu.system,
            rss_bytes=self._process.memory_info().rss,
            checks=[
                Check(name=name, error=outcome.error, latency_ms=outcome.latency_s * 1000)
                for name, outcome in outcomes.items()
            ],
            load=self._metrics.gauges(),
        )

    async def GetStatus(self, request: GetStatusRequest, context: Any) -> GetStatusResponse:  # noqa: ANN401, N802 - gRPC's
        """See the contract."""
        del request, context
        return await self.describe()
