"""What a run drives: the server at --url, or one of its own."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from im_cli.exit_code import CommandError, ExitCode
from im_cli.unlimited import UNLIMITED

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.run.target import Target

STOP_S: Final = 5.0


class Start(StrEnum):
    """The kinds of cluster of our own; a result's `mode`."""

    EMBEDDED = "embedded"
    CLUSTER = "cluster"
    TOGETHER = "together"
    """A distributed cluster whose services share one process."""


@contextmanager
def open_target(
    url: str | None,
    *,
    ca_file: Path | None,
    adapter: str,
    console: "Console",
    start: Start = Start.EMBEDDED,
) -> Iterator["Target"]:
    """A server to drive, stopped afterwards if it was started for it.

    Args:
        url: of a server that runs; None: start one.
        ca_file: the authority to check an https address with.
        adapter: what the load speaks to.
        console: told what is started.
        start: the kind of cluster to start.
    """
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - the load tester's imports are slow
    from im_bench.run.target import Target  # noqa: PLC0415

    if url is not None:
        yield Target(Endpoint(url.rstrip("/"), str(ca_file) if ca_file is not None else None))
    elif adapter == "im":
        starting = _embedded(console) if start is Start.EMBEDDED else _distributed(start, console)
        with starting as target:
            yield target
    elif adapter == "echo":
        with _echo_server(console) as target:
            yield target
    else:
        raise CommandError(f"--url is needed with --adapter {adapter}", code=ExitCode.USAGE)


@contextmanager
def _embedded(console: "Console") -> Iterator["Target"]:
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - as above
    from im_bench.run.target import Target  # noqa: PLC0415
    from im_cli.child_cluster import child_cluster  # noqa: PLC0415 - only here

    with console.status("starting an embedded cluster") as status, child_cluster(UNLIMITED) as child:
        status.stop()
        console.print(
            f"embedded cluster at {child.url} (pid {child.pid}), ready in {child.ready_s:.2f} s", highlight=False
        )
        yield Target(
            Endpoint(child.url),
            pids={"cluster": child.pid},
            settings=UNLIMITED,
            mode="embedded",
            metrics_urls=(f"{child.internal_url}/metrics",),
        )


@contextmanager
def _distributed(start: Start, console: "Console") -> Iterator["Target"]:
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - as above
    from im_bench.run.target import Target  # noqa: PLC0415
    from im_cli.cluster.install import require_engines  # noqa: PLC0415 - only here
    from im_cli.cluster.local_cluster import local_cluster  # noqa: PLC0415
    from im_cli.cluster.shape import Shape, Together  # noqa: PLC0415

    require_engines(console, yes=False)
    shape = Together() if start is Start.TOGETHER else Shape(1, 1, 1, 1)
    told = "all services in one process" if start is Start.TOGETHER else "one of each service"
    with (
        tempfile.TemporaryDirectory(prefix="im-bench-") as scratch,
        console.status(f"starting MariaDB, Redis, Kafka, etcd and {told}") as status,
        local_cluster(Path(scratch) / "cluster", shape, settings=UNLIMITED) as running,
    ):
        status.stop()
        (url,) = running.urls
        console.print(f"distributed cluster at {url}", highlight=False)
        yield Target(
            Endpoint(url),
            pids={server.name: server.pid for server in running.servers if server.pid is not None},
            settings=UNLIMITED,
            mode=start.value,
            metrics_urls=tuple(f"{internal}/metrics" for internal in running.state().internal_urls.values()),
        )


@contextmanager
def _echo_server(console: "Console") -> Iterator["Target"]:
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - as above
    from im_bench.run.target import Target  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        port = listening.getsockname()[1]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "im_bench.adapters.echo", str(listening.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=(listening.fileno(),),
            start_new_session=True,
        )
    try:
        console.print(f"echo server at http://127.0.0.1:{port} (pid {process.pid})", highlight=False)
        yield Target(Endpoint(f"http://127.0.0.1:{port}"), pids={"echo": process.pid}, mode="embedded")
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
