"""`im doctor`: look at what would go wrong, and say what to do about it."""

import asyncio
import resource
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from im_cli.data_folder import DataFolder
from im_cli.exit_code import CommandError, ExitCode
from im_cli.up import ConfigOption, DataDirOption
from im_infra.finding import Finding, Grade

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from im_cli.process.settings import ProcessSettings

WANTED_FILES: Final = 10_240
"""One file descriptor per connection, 10,000 connections on one gateway, and some to spare."""
FREE_BYTES: Final = 1 << 30
SKEW_MS: Final = 30_000
"""The database's clock may lie so far behind its own high-water mark before syncs must start anew."""
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
    from im_cli.process.leaves import SERVICES  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.process.load_settings import load_settings  # noqa: PLC0415

    yield _python()
    yield _file_limit()
    try:
        settings = load_settings(config, {})
    except CommandError as error:
        yield Finding(
            Grade.BAD, "settings", error.message, "mend each line; docs/reference/settings.md explains every key"
        )
        return
    yield Finding(Grade.GOOD, "settings", "every key is known and in its range")
    running = _holder(folder)
    public, internal = settings.gateway.public, settings.internal
    yield _port("public port", public.host, public.port, running=running)
    yield _port("internal port", internal.host, internal.port, running=running)
    if settings.is_distributed:
        from im_cli.doctor_cluster import examine_cluster  # noqa: PLC0415 - as above

        yield from examine_cluster(settings)
    if not settings.holds_data_folder(SERVICES):
        return
    yield _disk(folder)
    if not folder.database.exists():
        yield Finding(Grade.GOOD, "database", "none yet; the first `im up` makes it")
        return
    yield _secrets(folder)
    yield from asyncio.run(_database(folder, settings))


def _python() -> Finding:
    told = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036 - somebody may run us on it all the same
        return Finding(Grade.BAD, "python", told, "3.11 or newer is needed")
    return Finding(Grade.GOOD, "python", told)


def _file_limit() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = f"{soft} open files at most (the system would allow {hard})"
    if soft < WANTED_FILES:
        return Finding(
            Grade.WARNING,
            "file limit",
            told,
            f"each connection takes one: `ulimit -n {WANTED_FILES}`, or LimitNOFILE= in the unit",
        )
    return Finding(Grade.GOOD, "file limit", told)


def _holder(folder: DataFolder) -> bool:
    """Whether a cluster runs on the folder now."""
    if not folder.path.exists():
        return False
    try:
        with folder.locked():
            return False
    except CommandError:
        return True


def _port(subject: str, host: str, port: int, *, running: bool) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if running:
                return Finding(Grade.GOOD, subject, f"{host}:{port} is taken, and the cluster of this folder runs")
            return Finding(
                Grade.BAD,
                subject,
                f"{host}:{port} cannot be opened: {error.strerror}",
                "stop what holds it, or choose another",
            )
    if host not in {"127.0.0.1", "::1", "localhost"} and subject == "internal port":
        return Finding(
            Grade.WARNING, subject, f"{host}:{port} is not loopback", "health and metrics must never be public"
        )
    return Finding(Grade.GOOD, subject, f"{host}:{port} is free")


def _disk(folder: DataFolder) -> Finding:
    existing = next(path for path in (folder.path, *folder.path.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    told = f"{free / 2**30:.1f} GiB free under {existing}"
    if free < FREE_BYTES:
        return Finding(Grade.WARNING, "disk", told, "sends are refused (STORAGE_FULL) when it is full: make room")
    return Finding(Grade.GOOD, "disk", told)


def _secrets(folder: DataFolder) -> Finding:
    from im_cli.secret_file import load_or_make  # noqa: PLC0415 - as above

    try:
        found = load_or_make(folder.secrets)
    except CommandError as error:
        return Finding(Grade.BAD, "secrets", error.message, error.advice)
    return Finding(Grade.GOOD, "secrets", f"{len(found.signing_keys)} signing keys, readable by their owner only")


async def _database(folder: DataFolder, settings: "ProcessSettings") -> list[Finding]:
    from im_infra.errors import ImError  # noqa: PLC0415 - as above
    from im_infra.sql.open_database import open_database  # noqa: PLC0415
    from im_repo.migrations.upgrade import SchemaError, require_head  # noqa: PLC0415

    looks: tuple[Callable[[Connection], Finding], ...] = (_durability, _integrity, _clock)
    try:
        async with open_database(settings.sql, folder.path) as database:
            await database.read(require_head)
            return [await database.read(look) for look in looks]
    except (SchemaError, ImError) as error:
        return [Finding(Grade.BAD, "database", str(error), "restore a backup into an empty folder with `im restore`")]


def _durability(connection: "Connection") -> Finding:
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    told = f"journal_mode={journal} synchronous={synchronous}"
    if journal != "wal" or synchronous != 2:
        return Finding(Grade.BAD, "durability", told, "an acked message could be lost with the power: report this")
    return Finding(Grade.GOOD, "durability", f"{told}: what is acked survives a power cut")


def _integrity(connection: "Connection") -> Finding:
    verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        return Finding(Grade.BAD, "integrity", str(verdict), "restore a backup into an empty folder with `im restore`")
    return Finding(Grade.GOOD, "integrity", "the database file is whole")


def _clock(connection: "Connection") -> Finding:
    from sqlalchemy import select  # noqa: PLC0415 - as above

    from im_repo.schema import CLOCK  # noqa: PLC0415

    high = connection.scalar(select(CLOCK.c.high_time))
    behind = (high or 0) - time.time_ns() // 1_000_000
    if behind > SKEW_MS:
        return Finding(
            Grade.BAD, "clock", f"{behind / 1000:.0f} s behind the time of its last run", "set it; run a time service"
        )
    return Finding(Grade.GOOD, "clock", "not behind the time of the last run")
