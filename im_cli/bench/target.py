"""What a run drives: the server at --url, or one of its own."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from im_cli.exit_code import CommandError, ExitCode
from im_cli.unlimited import UNLIMITED

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.run.target import Target

STOP_S: Final = 5.0


@contextmanager
def open_target(
    url: str | None,
    *,
    ca_file: Path | None,
    adapter: str,
    console: "Console",
    cluster: bool = False,
) -> Iterator["Target"]:
    """A server to drive, stopped afterwards if it was started for it.

    Args:
        url: of a server that runs; None: start one.
        ca_file: the authority to check an https address with.
        adapter: what the load speaks to.
        console: told what is started.
        cluster: start a distributed cluster rather than an embedded one.
    """
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - the load tester's imports are slow
    from im_bench.run.target import Target  # noqa: PLC0415

    if url is not None:
        yield Target(Endpoint(url.rstrip("/"), str(ca_file) if ca_file is not None else None))
    elif adapter == "im":
        with (_distributed if cluster else _embedded)(UNLIMITED, console) as target:
            yield target
    elif adapter == "echo":
        with _echo_server(console) as target:
            yield target
    else:
        raise CommandError(f"--url is needed with --adapter {adapter}", code=ExitCode.USAGE)


@contextmanager
def _embedded(settings: Mapping[str, str], console: "Console") -> Iterator["Target"]:
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - as above
    from im_bench.run.target import Target  # noqa: PLC0415
    from im_cli.child_cluster import child_cluster  # noqa: PLC0415 - only here

    with console.status("starting an embedded cluster") as status, child_cluster(settings) as child:
        status.stop()
        console.print(
            f"embedded cluster at {child.url} (pid {child.pid}), ready in {child.ready_s:.2f} s", highlight=False
        )
        yield Target(
            Endpoint(child.url),
            pids={"cluster": child.pid},
            settings=settings,
            mode="embedded",
            metrics_urls=(f"{child.internal_url}/metrics",),
        )


@contextmanager
def _distributed(settings: Mapping[str, str], console: "Console") -> Iterator["Target"]:
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - as above
    from im_bench.run.target import Target  # noqa: PLC0415
    from im_cli.cluster.install import require_engines  # noqa: PLC0415 - only here
    from im_cli.cluster.local_cluster import local_cluster  # noqa: PLC0415
    from im_cli.cluster.shape import Shape  # noqa: PLC0415

    require_engines(console, yes=False)
    with (
        tempfile.TemporaryDirectory(prefix="im-bench-") as scratch,
        console.status("starting MariaDB, Redis, Kafka, etcd and one of each service") as status,
        local_cluster(Path(scratch) / "cluster", Shape(1, 1, 1, 1), settings=settings) as running,
    ):
        status.stop()
        (url,) = running.urls
        console.print(f"distributed cluster at {url}", highlight=False)
        yield Target(
            Endpoint(url),
            pids={server.name: server.pid for server in running.servers if server.pid is not None},
            settings=settings,
            mode="cluster",
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
