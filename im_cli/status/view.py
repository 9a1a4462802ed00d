"""A cluster's status as tables, for a terminal of any width."""

from datetime import timedelta
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from im_cli.status.gather import ClusterStatus, ProcessStatus

_LOAD: Final = {
    "im_gateway_connections": "connections",
    "im_logic_cached_conversations": "conversations in cache",
    "im_repo_append_queue_items": "waiting to be stored",
    "im_repo_outbox_pending_rows": "not confirmed yet",
}
"""Which figures of the load are shown, and in which words; the rest is in /metrics."""


def draw(
    status: ClusterStatus, now_ms: int, before: ClusterStatus | None = None, seconds: float = 0.0
) -> RenderableType:
    """Two tables: processes and what they stand on.

    Args:
        status: as gathered.
        now_ms: wall time, milliseconds since the epoch.
        before: gathered earlier, for the processor's share since then; None: since each process's start.
        seconds: how much earlier.
    """
    earlier = {process.address: process for process in before.processes} if before else {}
    processes = Table("process", "state", "version", "up", "cpu", "memory", "load", box=SIMPLE_HEAD)
    for process in status.processes:
        processes.add_row(*_row(process, now_ms, earlier.get(process.address), seconds))
    engines = Table("what they stand on", "state", "processes", "slowest answer", box=SIMPLE_HEAD)
    for name, engine in sorted(status.engines.items()):
        state = Text("good", "green")
        if engine.errors:
            state = Text("\n".join(f"{address}: {error}" for address, error in engine.errors.items()), "red")
        engines.add_row(name, state, str(engine.users), f"{engine.slowest_ms:.1f} ms")
    return Group(processes, engines) if status.engines else processes


def _row(
    process: ProcessStatus, now_ms: int, before: ProcessStatus | None, seconds: float
) -> tuple[RenderableType, ...]:
    told = process.told
    if told is None:
        names = " ".join(node.node_id for node in process.nodes)
        return (f"{names}\n{process.address}".strip(), Text(process.error, "red"), "", "", "", "", "")
    names = " ".join(node.node_id for node in process.nodes) or " ".join(told.services)
    up_s = max(0.001, (now_ms - told.start_time) / 1000)
    load = [f"{told.load[name]:,.0f} {words}" for name, words in _LOAD.items() if name in told.load]
    return (
        f"{names}\n[dim]{process.address} boot {told.boot_id[:6]}[/]",
        Text("draining", "yellow") if told.draining else Text("serving", "green"),
        told.version,
        str(timedelta(seconds=round(up_s))),
        f"{_share(process, before, seconds, up_s):.0%}",
        f"{told.rss_bytes / (1 << 20):.0f} MiB",
        "\n".join(load),
    )


def _share(process: ProcessStatus, before: ProcessStatus | None, seconds: float, up_s: float) -> float:
    """Of one core."""
    assert process.told is not None, "asked for processes that answered"
    known = before.told if before is not None else None
    if known is None or known.boot_id != process.told.boot_id or not seconds:
        return process.told.cpu_s / up_s
    return (process.told.cpu_s - known.cpu_s) / seconds
