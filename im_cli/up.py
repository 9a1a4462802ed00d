"""`im up`: the embedded cluster, from one command."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode

STARTED: Final = time.monotonic()
SWITCH_INTERVAL_S: Final = 0.0005
"""How long the loop may keep the interpreter from the database's thread, which takes it anew at every statement: with
Python's own 5 ms a batch of a dozen statements would wait 60 ms beside a busy loop."""

DataDirOption = Annotated[Path, typer.Option(envvar="IM_DATA_DIR", help="The folder that holds everything.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file with settings.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Public address; 127.0.0.1 unless set.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Public port; 8080 unless set, 0 takes a free one.")
    ] = None,
    internal_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of health and metrics; 8090 unless set.")
    ] = None,
    log_format: Annotated[str | None, typer.Option(help="`console` or `json`.")] = None,
    log_level: Annotated[str | None, typer.Option(help="`debug`, `info`, `warning` or `error`.")] = None,
    announce: Annotated[
        Path | None, typer.Option(help="When ready, write the addresses to this file as JSON, for scripts.")
    ] = None,
) -> None:
    """Start the embedded cluster: all four services in this process, on SQLite.

    Ctrl-C tells the clients to move, flushes and stops, in two seconds at most; a second one stops at once. Every
    setting can come from the TOML file or from `IM_…` variables (`IM_GATEWAY__PUBLIC__PORT=9000`).
    """
    overrides: dict[str, Any] = {
        "gateway.public.host": host,
        "gateway.public.port": port,
        "internal.port": internal_port,
        "log.format": log_format,
        "log.level": log_level,
    }
    given = {key: value for key, value in overrides.items() if value is not None}
    folder = DataFolder(data_dir)
    folder.create()
    with folder.locked():
        _serve(folder, config, given, announce)


def _serve(folder: DataFolder, config: Path | None, overrides: Mapping[str, Any], announce: Path | None) -> None:
    """Load, open, run; imports are here so that a refused second start is quick."""
    import uvloop  # noqa: PLC0415 - see above

    from im_cli.embedded.load_settings import load_settings  # noqa: PLC0415
    from im_cli.secret_file import load_or_make  # noqa: PLC0415
    from im_infra.observability import logs  # noqa: PLC0415

    settings = load_settings(config, overrides)
    logs.configure(settings.log.format, settings.log.level)
    secrets = load_or_make(folder.secrets)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    uvloop.run(_run(folder, settings, secrets, announce))


async def _run(folder: DataFolder, settings: Any, secrets: Any, announce: Path | None) -> None:  # noqa: ANN401 - see `_serve`
    from im_cli.embedded.banner import print_banner  # noqa: PLC0415 - see `_serve`
    from im_cli.embedded.cluster import open_embedded  # noqa: PLC0415
    from im_infra.sql.errors import StoreUnavailableError  # noqa: PLC0415
    from im_repo.migrations.upgrade import SchemaError  # noqa: PLC0415

    stop = asyncio.Event()
    _stop_on_signals(stop)
    try:
        async with open_embedded(settings, folder, secrets) as cluster:

            def on_ready() -> None:
                ready_s = time.monotonic() - STARTED
                print_banner(cluster.port, settings, folder, ready_s)
                if announce is not None:
                    _announce(announce, settings, cluster.port, cluster.internal_port, ready_s)

            await cluster.run(on_ready=on_ready, stop=stop)
    except (SchemaError, StoreUnavailableError) as error:
        raise CommandError(
            f"the database in {folder.path} cannot be used: {error}",
            code=ExitCode.STORAGE,
            advice="restore a backup into an empty folder with `im restore`, or name another one with --data-dir",
        ) from error
    except OSError as error:
        raise CommandError(
            f"a port cannot be opened: {error.strerror or error}",
            code=ExitCode.IN_THE_WAY,
            advice="choose others with --port and --internal-port",
        ) from error


def _stop_on_signals(stop: asyncio.Event) -> None:
    """The first signal drains, the second ends the process at once."""

    def on_signal() -> None:
        if stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)


def _announce(path: Path, settings: Any, port: int, internal_port: int, ready_s: float) -> None:  # noqa: ANN401 - see `_serve`
    """Write the file whole: whoever waits for it must not read half of it."""
    told = {
        "url": f"http://{settings.gateway.public.host}:{port}",
        "internal_url": f"http://{settings.internal.host}:{internal_port}",
        "pid": os.getpid(),
        "ready_time_s": round(ready_s, 3),
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(path)
