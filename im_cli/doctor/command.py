"""`im doctor`, as a person types it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer
from rich.console import Console

from im_cli.data_folder import DataFolder
from im_cli.doctor import machine
from im_cli.exit_code import CommandError, ExitCode
from im_cli.up import ConfigOption, DataDirOption
from im_infra.finding import Finding, Grade

_COLOURS: Final = {Grade.GOOD: "green", Grade.WARNING: "yellow", Grade.BAD: "red"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, data_dir: DataDirOption = Path("data"), config: ConfigOption = None) -> None:
    """Check settings, ports, storage durability, clocks, file limits and engines; exit with 6 if anything must be mended."""
    console = Console(highlight=False)
    findings = list(_examine(DataFolder(data_dir), config))
    for finding in findings:
        grade = f"[{_COLOURS[finding.grade]}]{finding.grade.value}[/]"
        console.print(f"{grade}  [bold]{finding.subject}[/]  {finding.told}", soft_wrap=True)
        if finding.advice:
            console.print(f"         → {finding.advice}", soft_wrap=True)
    if any(finding.grade is Grade.BAD for finding in findings):
        raise typer.Exit(ExitCode.UNHEALTHY)


def _examine(folder: DataFolder, config: Path | None) -> Iterator[Finding]:
    from im_cli.doctor.cluster import examine_cluster  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.doctor.embedded import examine_folder, is_held  # noqa: PLC0415
    from im_cli.process.leaves import SERVICES  # noqa: PLC0415
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415

    yield machine.python()
    yield machine.file_limit()
    try:
        settings = load_settings(config, {})
    except CommandError as error:
        yield Finding(
            Grade.BAD, "settings", error.message, "mend each line; docs/reference/settings.md explains every key"
        )
        return
    yield Finding(Grade.GOOD, "settings", "every key is known and in its range")
    running = is_held(folder)
    public, internal = settings.gateway.public, settings.internal
    yield machine.port("public port", public.host, public.port, running=running)
    yield machine.port("internal port", internal.host, internal.port, running=running)
    if settings.is_distributed or settings.sql.kind != "sqlite":
        yield from examine_cluster(settings)
    if settings.holds_data_folder(SERVICES):
        yield from examine_folder(folder, settings.sql)
