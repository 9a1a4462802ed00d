"""What a run drives: the server at --url, or one of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from im_cli.exit_code import CommandError, ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from im_bench.run.target import Target

OWN_CLUSTER: Final = {
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "127.0.0.0/8",
    # Thousands of password hashes are not what is measured.
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "64",
}
"""What an embedded cluster of our own is told, and the result repeats."""
STOP_S: Final = 5.0


@contextmanager
def open_target(
    url: str | None,
    *,
    ca_file: Path | None,
    adapter: str,
    console: "Console",
    settings: Mapping[str, str] | None = None,
) -> Iterator["Target"]:
    """A server to drive, stopped afterwards if it was started for it.

    Args:
        url: of a server that runs; None: start one.
        ca_file: the authority to check an https address with.
        adapter: what the load speaks to.
        console: told what is started.
        settings: what the scenario wants a cluster of our own to be told besides `OWN_CLUSTER`.
    """
    from im_bench.adapters.abstract import Endpoint  # noqa: PLC0415 - the load tester's imports are slow
    from im_bench.run.target import Target  # noqa: PLC0415

    if url is not None:
        yield Target(Endpoint(url.rstrip("/"), str(ca_file) if ca_file is not None else None))
    elif adapter == "im":
        with _embedded({**OWN_CLUSTER, **(settings or {})}, console) as target:
            yield target
    elif adapter == "echo":
        with _echo_server(console) as target:
            yield target
    else:
        raise CommandError(f"--url is needed with --adapter {adapter}", code=ExitCode.USAGE)


@contextmanager
def _embedded(settings: dict[str, str], console: "Console") -> Iterator["Target"]:
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
