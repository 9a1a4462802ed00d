import io

from rich.console import Console

from im_cli.status.gather import ClusterStatus, ProcessStatus, summarise
from im_cli.status.view import _LOAD, draw
from im_infra.discovery.abstract import Node
from im_infra.observability.metric_names import METRICS
from im_proto.node.v1.node_pb2 import Check, GetStatusResponse

NOW = 1_700_000_000_000


def process(name: str, *, error: str = "", cpu_s: float = 30.0, draining: bool = False) -> ProcessStatus:
    told = GetStatusResponse(
        version="9.8",
        boot_id="abcdef99",
        services=["gateway"],
        start_time=NOW - 60_000,
        cpu_s=cpu_s,
        rss_bytes=200 << 20,
        draining=draining,
        checks=[Check(name="logic", error=error, latency_ms=1.5)],
        load={"im_gateway_connections": 1234},
    )
    return ProcessStatus(f"10.0.0.1:{name}", [Node("gateway", f"gateway-{name}", "abcdef99", "x")], told)


def drawn(status: ClusterStatus, **more: object) -> str:
    out = io.StringIO()
    Console(file=out, width=140).print(draw(status, NOW, **more))  # type: ignore[arg-type]
    return out.getvalue()


def status(*processes: ProcessStatus) -> ClusterStatus:
    return ClusterStatus(processes, summarise(processes))


def test_tells_each_process_and_what_it_stands_on() -> None:
    text = drawn(status(process("a"), process("b", draining=True)))
    for words in (
        "gateway-a",
        "gateway-b",
        "9.8",
        "0:01:00",
        "50%",
        "200 MiB",
        "1,234 connections",
        "draining",
        "1.5 ms",
    ):
        assert words in text


def test_tells_who_misses_what() -> None:
    """The trouble, and the process that has it."""
    found = status(process("a"), process("b", error="UNAVAILABLE: no logic is ready"))
    assert not found.is_healthy
    assert "10.0.0.1:b: UNAVAILABLE: no logic is ready" in drawn(found)


def test_tells_who_does_not_answer() -> None:
    silent = ProcessStatus("10.0.0.9:1", [Node("repo", "repo-z", "b", "x")], error="DEADLINE_EXCEEDED: no answer")
    found = status(process("a"), silent)
    assert not found.is_healthy
    assert "repo-z" in drawn(found)
    assert "DEADLINE_EXCEEDED" in drawn(found)


def test_nobody_is_not_healthy() -> None:
    assert not status().is_healthy


def test_the_share_is_of_the_time_between_two_looks() -> None:
    before, after = status(process("a", cpu_s=30.0)), status(process("a", cpu_s=30.5))
    assert "25%" in drawn(after, before=before, seconds=2.0)


def test_the_load_has_names_of_the_one_list() -> None:
    assert set(_LOAD) <= {metric.name for metric in METRICS}
