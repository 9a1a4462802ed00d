"""`im serve`: some of the services in a process of their own, the others reached over gRPC."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from im_cli.data_folder import LOCK_NAME, DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.process.run_process import run_process
from im_cli.up import (
    AnnounceOption,
    ConfigOption,
    DataDirOption,
    HostOption,
    InternalPortOption,
    LogFormatOption,
    LogLevelOption,
    PortOption,
)

if TYPE_CHECKING:
    from im_cli.process.process import Process
    from im_cli.process.settings import ProcessSettings

SHARING_MEMORY: Final = frozenset({"gateway", "logic", "task"})
"""Where the cache or the bus lies in a process's memory, these three must share it."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    services: Annotated[list[str], typer.Argument(help="Of `repo`, `logic`, `task` and `gateway`.")],
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    name: Annotated[
        str | None, typer.Option(help="This process's own name in the cluster, the same after a restart; 1 unless set.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="Address (host:port) for the other processes' calls.")] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Another process's service, `service/node_id@host:port`; repeatable.")
    ] = None,
    host: HostOption = None,
    port: PortOption = None,
    internal_port: InternalPortOption = None,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = None,
    announce: AnnounceOption = None,
) -> None:
    """Run some services in this process; the others are reached over gRPC.

    With shared engines (a MySQL-protocol database, Redis, Kafka, etcd: settings, see docs/how-to/run-a-cluster.md) any
    number of each service runs anywhere; they find each other:

        im serve logic --config cluster.toml --name a --listen 10.0.0.5:9000

    With the embedded leaves (SQLite, cache and bus in memory) the processes share one data folder on one machine, and
    gateway, logic and task share one process:

        im serve repo --listen 127.0.0.1:9001 --node logic/logic-1@127.0.0.1:9002 --internal-port 8091

        im serve gateway logic task --listen 127.0.0.1:9002 --node repo/repo-1@127.0.0.1:9001
    """
    from im_cli.process.leaves import SERVICES  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415

    chosen = frozenset(services)
    if unknown := chosen - set(SERVICES):
        raise typer.BadParameter(f"no such service: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
    overrides: dict[str, Any] = {
        "rpc.name": name,
        "rpc.listen": listen,
        "discovery.nodes": tuple(node) if node else None,
        "gateway.public.host": host,
        "gateway.public.port": port,
        "internal.port": internal_port,
        "log.format": log_format,
        "log.level": log_level,
    }
    settings = load_settings(config, {key: value for key, value in overrides.items() if value is not None})
    _check(chosen, settings)
    folder = DataFolder(data_dir)
    with _held(folder, chosen) if settings.holds_data_folder(chosen) else nullcontext():

        def on_ready(process: "Process", ready_s: float) -> None:
            where = f", clients at {settings.gateway.public.host}:{process.port}" if process.port else ""
            told = f"{' '.join(sorted(chosen))} up in {ready_s:.2f} s{where}, health at port {process.internal_port}"
            Console().print(told, highlight=False)

        run_process(folder, settings, services=chosen, announce=announce, on_ready=on_ready)


@contextmanager
def _held(folder: DataFolder, services: frozenset[str]) -> Iterator[None]:
    """The data folder, or the part of it that these services hold."""
    folder.create()
    with folder.locked(LOCK_NAME if "repo" in services else f"{LOCK_NAME}-edge"):
        yield


def _check(services: frozenset[str], settings: "ProcessSettings") -> None:
    apart = services & SHARING_MEMORY
    if settings.shares_memory and apart and apart != SHARING_MEMORY:
        missing = ", ".join(sorted(SHARING_MEMORY - apart))
        raise CommandError(
            f"{', '.join(sorted(apart))} cannot run without {missing} in the same process",
            code=ExitCode.USAGE,
            advice="the cache and the bus of this mode live in a process's memory; set cache.kind and bus.kind to share them",
        )
    if settings.is_distributed and not settings.rpc.listen:
        raise CommandError(
            "rpc.listen is not set: the other processes could not reach this one",
            code=ExitCode.USAGE,
            advice="--listen HOST:PORT, an address of the cluster's own network",
        )
    host = settings.rpc.listen.rpartition(":")[0].strip("[]")
    if settings.is_distributed and host in {"", "0.0.0.0", "::"} and not settings.rpc.advertise:  # noqa: S104 - compared
        raise CommandError(
            f"nobody can call {settings.rpc.listen}: that is every address of this machine, and none of them",
            code=ExitCode.USAGE,
            advice="set rpc.advertise to the HOST:PORT at which the other processes reach it",
        )
