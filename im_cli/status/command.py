"""`im status`."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from im_cli.exit_code import ExitCode
from im_cli.up import ConfigOption, InternalPortOption

if TYPE_CHECKING:
    from im_cli.process.settings import ProcessSettings
    from im_cli.status.gather import ClusterStatus

REFRESH_S: Final = 2.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(
    *,
    config: ConfigOption = None,
    internal_port: InternalPortOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh every two seconds until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every process with its version, load and drain state, and every engine's health; exit with 6 if one is amiss.

    Reads the same settings as the processes (`--config`, `IM_…`): with etcd it finds all of them, without it asks the
    one process of an embedded cluster at its internal port.
    """
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.status.gather import gather  # noqa: PLC0415

    overrides = {} if internal_port is None else {"internal.port": internal_port}
    settings = load_settings(config, overrides)
    if watch:
        asyncio.run(_watch(settings))
        return
    found = asyncio.run(gather(settings))
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        from im_cli.status.view import draw  # noqa: PLC0415 - as above

        Console().print(draw(found, _now_ms()))
    if not found.is_healthy:
        raise typer.Exit(ExitCode.UNHEALTHY)


async def _watch(settings: "ProcessSettings") -> None:
    from im_cli.status.gather import gather  # noqa: PLC0415 - as above
    from im_cli.status.view import draw  # noqa: PLC0415

    before, asked_at = await gather(settings), time.monotonic()
    with Live(draw(before, _now_ms()), screen=True) as live:
        while True:
            await asyncio.sleep(REFRESH_S)
            now = time.monotonic()
            found = await gather(settings)
            live.update(draw(found, _now_ms(), before, now - asked_at), refresh=True)
            before, asked_at = found, now


def _as_json(found: "ClusterStatus") -> dict[str, object]:
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - as above

    return {
        "healthy": found.is_healthy,
        "processes": [
            {
                "address": process.address,
                "nodes": [node.node_id for node in process.nodes],
                "error": process.error,
                "status": MessageToDict(process.told, preserving_proto_field_name=True) if process.told else None,
            }
            for process in found.processes
        ],
        "engines": {
            name: {"errors": dict(engine.errors), "slowest_ms": round(engine.slowest_ms, 3), "users": engine.users}
            for name, engine in found.engines.items()
        },
    }


def _now_ms() -> int:
    return int(time.time() * 1000)
