"""`im up`: the embedded cluster, from one command."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.process.run_process import run_process

if TYPE_CHECKING:
    from im_cli.process.process import Process

DataDirOption = Annotated[Path, typer.Option(envvar="IM_DATA_DIR", help="The folder that holds everything.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="A TOML file with settings.")]
InternalPortOption = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port of health and metrics; 8090 unless set.")
]
LogFormatOption = Annotated[str | None, typer.Option(help="`console` or `json`.")]
LogLevelOption = Annotated[str | None, typer.Option(help="`debug`, `info`, `warning` or `error`.")]
AnnounceOption = Annotated[
    Path | None, typer.Option(help="When ready, write the addresses to this file as JSON, for scripts.")
]
HostOption = Annotated[str | None, typer.Option(help="Public address; 127.0.0.1 unless set.")]
PortOption = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Public port; 8080 unless set, 0 takes a free one.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    *,
    data_dir: DataDirOption = Path("data"),
    config: ConfigOption = None,
    host: HostOption = None,
    port: PortOption = None,
    internal_port: InternalPortOption = None,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = None,
    announce: AnnounceOption = None,
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
    folder = DataFolder(data_dir)
    folder.create()
    with folder.locked():
        from im_cli.process.banner import print_banner  # noqa: PLC0415 - slow imports: a refused second start is quick
        from im_cli.process.leaves import SERVICES  # noqa: PLC0415
        from im_cli.process.load_settings import load_settings  # noqa: PLC0415

        settings = load_settings(config, {key: value for key, value in overrides.items() if value is not None})
        if settings.is_distributed:
            raise CommandError(
                f"`im up` is a cluster by itself, and the settings name {settings.discovery.kind} as the registry of many",
                code=ExitCode.USAGE,
                advice="start this process of it with `im serve`: docs/how-to/run-a-cluster.md",
            )

        def on_ready(process: "Process", ready_s: float) -> None:
            print_banner(process.port, settings, folder, ready_s)

        run_process(folder, settings, services=SERVICES, announce=announce, on_ready=on_ready)
