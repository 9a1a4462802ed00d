"""`im cluster up`, `im cluster down` and `im cluster status`."""

import time
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from im_cli.cluster import state_file
from im_cli.exit_code import CommandError, ExitCode

APP = typer.Typer(
    help="A whole distributed cluster on this machine: MariaDB, Redis, Kafka, etcd and several of each service.",
    no_args_is_help=True,
)
FolderOption = Annotated[Path, typer.Option(envvar="IM_CLUSTER_DIR", help="The folder that holds all of it.")]
KILLED_S: Final = 5.0


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="cluster")


@APP.command("up")
def up(
    *,
    folder: FolderOption = Path("cluster"),
    gateways: Annotated[int, typer.Option(min=1, max=26, help="Gateways.")] = 2,
    logics: Annotated[int, typer.Option(min=1, max=26, help="Logic processes.")] = 2,
    repos: Annotated[int, typer.Option(min=1, max=26, help="Repo processes.")] = 2,
    tasks: Annotated[int, typer.Option(min=1, max=26, help="Task processes.")] = 2,
    together: Annotated[
        int,
        typer.Option(
            min=0, max=26, help="Processes that hold all four services, instead of those above: for few cores. 0: none."
        ),
    ] = 0,
    first_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The first gateway's public port, the others follow; 0: free ones.")
    ] = 8080,
    load_test: Annotated[
        bool, typer.Option("--load-test", help="Lift the limits for loopback, and hash passwords cheaply.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", envvar="YES", help="Install what is missing without asking.")
    ] = False,
) -> None:
    """Start it, and print where it is; it runs until `im cluster down`. What it stored is there again the next time."""
    from im_cli.cluster.install import require_engines  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.cluster.local_cluster import LocalCluster  # noqa: PLC0415
    from im_cli.cluster.shape import Shape, Together  # noqa: PLC0415
    from im_cli.unlimited import UNLIMITED  # noqa: PLC0415

    console = Console()
    if _running(folder):
        raise CommandError(
            f"a cluster of {folder} runs already", code=ExitCode.IN_THE_WAY, advice="`im cluster down` stops it"
        )
    require_engines(console, yes=yes)
    shape = Together(together) if together else Shape(gateways, logics, repos, tasks)
    settings = UNLIMITED if load_test else {}
    cluster = LocalCluster(folder, shape, first_port=first_port, settings=settings)
    started = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        step = progress.add_task("preparing")
        cluster.prepare()
        progress.update(step, description="starting MariaDB, Redis, Kafka and etcd")
        try:
            cluster.start_engines()
            progress.update(step, description="starting the services")
            cluster.start_services()
        except BaseException:
            progress.update(step, description="stopping again")
            cluster.stop()
            raise
    state = cluster.state()
    state_file.write(folder, state)
    _print(console, state, f"up in {time.monotonic() - started:.1f} s")


@APP.command("install")
def install(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", envvar="YES", help="Install without asking.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only tell what is missing; that is no failure.")] = False,
) -> None:
    """Install the engines that are missing: MariaDB, Redis, etcd, and Java and Maven for Kafka."""
    from im_cli.cluster.engine_set import REQUIREMENTS  # noqa: PLC0415 - slow imports, only when it runs
    from im_cli.cluster.install import require_engines  # noqa: PLC0415
    from im_cli.engines.engine import missing  # noqa: PLC0415

    console = Console()
    packages = missing(REQUIREMENTS)
    if check and packages:
        told = f"missing: [bold]{' '.join(packages)}[/]; `im cluster install` installs them"
        console.print(f"{told}. Tests that need them are skipped.", highlight=False, soft_wrap=True)
        return
    require_engines(console, yes=yes)
    console.print("every engine is there", highlight=False)


@APP.command("down")
def down(*, folder: FolderOption = Path("cluster")) -> None:
    """Stop exactly what `im cluster up` started: services first, engines last."""
    state = state_file.read(folder)
    if state is None:
        raise CommandError(f"no cluster was started in {folder}", code=ExitCode.REFUSED)
    console = Console()
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as progress:
        step = progress.add_task("stopping", total=len(state.processes))
        services = [each for each in state.processes if each.name in state.internal_urls]
        engines = [each for each in state.processes if each.name not in state.internal_urls]
        for group in (services, engines):
            progress.update(step, description=f"stopping {', '.join(each.name for each in group)}")
            _stop(group)
    state_file.remove(folder)
    console.print(f"stopped {len(state.processes)} processes; what they stored is in {folder}", highlight=False)


@APP.command("status")
def status(*, folder: FolderOption = Path("cluster")) -> None:
    """Show which processes of it run, and where clients connect; `im status --config` asks the services themselves."""
    state = state_file.read(folder)
    if state is None:
        raise CommandError(
            f"no cluster was started in {folder}", code=ExitCode.REFUSED, advice="`im cluster up` starts one"
        )
    _print(Console(), state, "of this folder")
    if not all(each.find() for each in state.processes):
        raise typer.Exit(ExitCode.UNHEALTHY)


def _print(console: Console, state: state_file.State, told: str) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - slow imports, only when it runs
    from rich.table import Table  # noqa: PLC0415

    table = Table("process", "state", "pid", "memory", "health and metrics", box=SIMPLE_HEAD)
    for each in reversed(state.processes):
        process = each.find()
        memory = f"{process.memory_info().rss / (1 << 20):.0f} MiB" if process else ""
        state_told = "[green]running[/]" if process else "[red]gone[/]"
        table.add_row(each.name, state_told, str(each.pid), memory, state.internal_urls.get(each.name, ""))
    console.print(f"[bold]The cluster[/] {told}", highlight=False)
    console.print(table)
    first = state.urls[0]
    for line in (
        f"  clients     {'  '.join(state.urls)}",
        f"  settings    {state.config}",
        f"  talk        .venv/bin/im chat --url {first}",
        f"  look        .venv/bin/im status --config {state.config}",
        "  stop        .venv/bin/im cluster down",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def _running(folder: Path) -> bool:
    state = state_file.read(folder)
    return state is not None and any(each.find() for each in state.processes)


def _stop(group: list[state_file.Running]) -> None:
    """Ask all to end, and kill what has not when the longest of their times is over."""
    found = [process for each in group if (process := each.find()) is not None]
    for process in found:
        process.terminate()
    _, left = psutil.wait_procs(found, timeout=max((each.stop_s for each in group), default=0))
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=KILLED_S)
