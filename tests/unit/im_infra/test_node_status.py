import os

import psutil

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.node_status import NodeStatus
from im_infra.observability.metrics import Metrics
from im_infra.readiness import Asked
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process.server import InProcessServer
from im_proto.node.v1.node_pb2 import GetStatusRequest
from im_proto.node.v1.node_pb2_grpc import NodeServiceStub, add_NodeServiceServicer_to_server


async def database() -> None:
    raise ImError(error_table.UNAVAILABLE, "no route to it")


async def test_tells_how_the_process_is() -> None:
    """Version, boot, services, checks and load, over the real contract."""
    metrics = Metrics()
    metrics.gauge("im_gateway_connections").set(7)
    checks: dict[str, Asked] = {}
    status = NodeStatus(version="1.2", boot_id="b", services=("repo", "logic"), checks=checks, metrics=metrics)
    checks["database"] = database  # checks come as services open
    server = InProcessServer()
    add_NodeServiceServicer_to_server(status, server)
    stub = NodeServiceStub(Channels({"node": server}).get("in-process:node"))

    answer = await stub.GetStatus(GetStatusRequest())
    assert (answer.version, answer.boot_id, list(answer.services)) == ("1.2", "b", ["repo", "logic"])
    assert answer.load["im_gateway_connections"] == 7
    assert answer.rss_bytes > 1 << 20
    assert answer.start_time == int(psutil.Process(os.getpid()).create_time() * 1000)
    (check,) = answer.checks
    assert (check.name, check.error) == ("database", "UNAVAILABLE: no route to it")
    assert not answer.draining

    status.draining = True
    assert (await stub.GetStatus(GetStatusRequest())).draining
