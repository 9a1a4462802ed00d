"""`im bench`: the load tester. Without --url it starts an embedded cluster of its own and stops it afterwards."""

import json
import resource
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.accounts import Account
    from im_bench.result import Result

APP = typer.Typer(
    help="Measure a cluster, and prove while measuring that nothing was lost, doubled or out of order.",
    no_args_is_help=True,
    epilog="Exit codes: 0 good · 1 wrong usage · 2 lost, doubled or out of order · 3 the figures mean nothing · 4 target missed",
)
OPEN_FILES: Final = 65_536
OWN_CLUSTER: Final = {
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "127.0.0.0/8",
    # Thousands of password hashes are not what is measured.
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "64",
}
"""What the cluster of our own is told, and the result repeats."""

UrlOption = Annotated[
    str | None, typer.Option(help="An http(s) address of a gateway; without it an embedded cluster is started.")
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")]
UsersOption = Annotated[
    Path | None, typer.Option(help="Accounts are read from this file, or made and written to it when it is missing.")
]


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(APP, name="bench")


@dataclass(frozen=True, slots=True)
class Target:
    """What is driven."""

    url: str
    """`http://host:port`."""
    server_pids: dict[str, int]
    """Processes whose use can be read; empty on another machine."""
    settings: dict[str, str]
    """What was set for this run, told in the result."""

    @property
    def websocket_url(self) -> str:
        """`ws://host:port/ws`."""
        return f"ws{self.url.removeprefix('http')}/ws"


@APP.command("private")
def private(
    *,
    pairs: Annotated[int, typer.Option(min=1, max=10_000, help="Pairs of users that talk.")] = 500,
    rate: Annotated[
        float,
        typer.Option(min=0, help="Messages a second offered by all together; 0: closed loop, as fast as acks come."),
    ] = 500,
    duration: Annotated[float, typer.Option(min=1, help="Seconds measured.")] = 20,
    warm_up: Annotated[float, typer.Option(min=0, help="Seconds before.")] = 3,
    size: Annotated[int, typer.Option(min=0, max=8_000, help="Bytes of text added to each message.")] = 100,
    arrivals: Annotated[str, typer.Option(help="`constant` or `poisson`.")] = "constant",
    seed: Annotated[int, typer.Option(help="Makes a run repeatable.")] = 1,
    users_file: UsersOption = None,
    url: UrlOption = None,
    json_file: JsonOption = None,
) -> None:
    """Pairs talk in both directions, one unacked message per sender, receipts on.

    Reports offered, acked and delivered per second, latency from the intended moment to the ack and to the other
    device, and what was lost, doubled or out of order.
    """
    if arrivals not in {"constant", "poisson"}:
        raise typer.BadParameter("constant or poisson", param_hint="--arrivals")
    from im_bench.accounts import register  # noqa: PLC0415 - the load tester's imports are slow
    from im_bench.private import PrivateScenario, PrivateSettings  # noqa: PLC0415

    settings = PrivateSettings(
        pairs=pairs,
        rate_per_s=rate,
        duration_s=duration,
        warm_up_s=warm_up,
        body_bytes=size,
        arrivals=arrivals,
        seed=seed,
    )

    async def run(target: Target, progress: Callable[[str], None]) -> "Result":
        accounts = await _accounts(target, 2 * pairs, users_file, register, progress)
        scenario = PrivateScenario(
            settings, accounts, url=target.websocket_url, server_pids=target.server_pids, progress=progress
        )
        return await scenario.run()

    _measure(run, url=url, json_file=json_file)


@APP.command("idle")
def idle(
    *,
    low: Annotated[int, typer.Option(min=1, help="Connections at the first reading of memory.")] = 2_000,
    high: Annotated[int, typer.Option(min=2, help="Connections at the second.")] = 10_000,
    hold: Annotated[float, typer.Option(min=1, help="Seconds the high number is held.")] = 30,
    users_file: UsersOption = None,
    url: UrlOption = None,
    json_file: JsonOption = None,
) -> None:
    """Many connections that only ping: memory of each (the slope between two numbers) and CPU of all."""
    if high <= low:
        raise typer.BadParameter("--high must be above --low", param_hint="--high")
    from im_bench.accounts import create_guests  # noqa: PLC0415 - the load tester's imports are slow
    from im_bench.idle import INSTANCES_A_DEVICE, IdleScenario, IdleSettings  # noqa: PLC0415

    async def run(target: Target, progress: Callable[[str], None]) -> "Result":
        count = -(-high // INSTANCES_A_DEVICE)
        accounts = await _accounts(target, count, users_file, create_guests, progress)
        scenario = IdleScenario(
            IdleSettings(low=low, high=high, hold_s=hold),
            accounts,
            url=target.websocket_url,
            server_pid=next(iter(target.server_pids.values()), None),
            progress=progress,
        )
        return await scenario.run()

    _measure(run, url=url, json_file=json_file)


async def _accounts(
    target: Target,
    count: int,
    users_file: Path | None,
    make: "Callable[..., Awaitable[list[Account]]]",
    progress: Callable[[str], None],
) -> "list[Account]":
    """Known accounts from the file, or new ones."""
    from im_bench import accounts  # noqa: PLC0415 - as above

    known = _known(users_file)
    if known is not None:
        if len(known) < count:
            raise CommandError(f"{users_file} has {len(known)} accounts, {count} are needed", code=ExitCode.USAGE)
        return known[:count]
    made = await make(target.url, count, progress=lambda done: progress(f"making accounts: {done} of {count}"))
    if users_file is not None:
        accounts.save(users_file, made)
    return made


def _known(users_file: Path | None) -> "list[Account] | None":
    from im_bench import accounts  # noqa: PLC0415 - as above

    return accounts.load(users_file) if users_file is not None and users_file.exists() else None


Run = Callable[[Target, Callable[[str], None]], "Coroutine[Any, Any, Result]"]


def _measure(run: Run, *, url: str | None, json_file: Path | None) -> NoReturn:
    """Drive the target, show progress and the summary, write the JSON, exit with the verdict."""
    import uvloop  # noqa: PLC0415 - as above
    from rich.console import Console  # noqa: PLC0415

    from im_bench.accounts import PreparationError  # noqa: PLC0415
    from im_bench.connection import AnsweredError, ConnectionLostError  # noqa: PLC0415
    from im_bench.sender import SendRefusedError  # noqa: PLC0415
    from im_bench.summary import print_summary  # noqa: PLC0415

    errors = Console(stderr=True)
    _raise_file_limit()
    with _target(url, errors) as target, errors.status("preparing") as status:
        try:
            result = uvloop.run(run(target, status.update))
        except* (PreparationError, AnsweredError, ConnectionLostError, SendRefusedError, OSError) as group:
            raise CommandError(
                f"the run did not take place: {_first(group)}",
                code=ExitCode.IN_THE_WAY,
                advice=f"is a gateway at {target.url}? Its limits.exempt_networks must cover this machine",
            ) from group
        result.settings["server"] = target.settings
    print_summary(result, Console())
    if json_file is not None:
        json_file.write_text(json.dumps(result.as_json(), indent=2), encoding="utf-8")
    raise typer.Exit(result.verdict)


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    """The first single error within nested groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextmanager
def _target(url: str | None, errors: "Console") -> Iterator[Target]:
    """The gateway named, or a cluster of our own."""
    if url is not None:
        yield Target(url=url.rstrip("/"), server_pids={}, settings={})
        return
    from im_cli.child_cluster import child_cluster  # noqa: PLC0415 - only here

    with errors.status("starting an embedded cluster") as status, child_cluster(OWN_CLUSTER) as child:
        status.stop()
        errors.print(
            f"embedded cluster at {child.url} (pid {child.pid}), ready in {child.ready_s:.2f} s", highlight=False
        )
        yield Target(url=child.url, server_pids={"cluster": child.pid}, settings=dict(OWN_CLUSTER))


def _raise_file_limit() -> None:
    """As many sockets as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
