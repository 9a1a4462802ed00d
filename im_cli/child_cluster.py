"""An embedded cluster as a child process: for the load tester, which measures it from outside like any other."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from im_cli.exit_code import CommandError, ExitCode

READY_S: Final = 30.0
STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class ChildCluster:
    """A running child."""

    pid: int
    url: str
    internal_url: str
    ready_s: float
    """Seconds from its start until it was ready."""


@contextmanager
def child_cluster(settings: Mapping[str, str], data_dir: Path | None = None) -> Iterator[ChildCluster]:
    """Start `im up` on free ports of loopback in a folder that goes with it, and stop it afterwards.

    Args:
        settings: `IM_…` variables for the child.
        data_dir: its data folder; None: one that is removed afterwards.

    Raises:
        CommandError: INTERNAL when it does not become ready; its last words are in the message.
    """
    with tempfile.TemporaryDirectory(prefix="im-bench-") as raw:
        scratch = Path(raw)
        announcement, log = scratch / "ready.json", scratch / "log"
        command = [
            sys.executable, "-m", "im_cli.main", "up", "--data-dir", str(data_dir or scratch / "data"),
            "--port", "0", "--internal-port", "0", "--announce", str(announcement), "--log-level", "warning",
        ]  # fmt: skip
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings},  # noqa: TID251 - a child's environment, not our settings
                start_new_session=True,  # a Ctrl-C is ours to pass on, after the run's figures are safe
            )
        try:
            _await_ready(process, announcement, log, started)
            told = json.loads(announcement.read_text(encoding="utf-8"))
            yield ChildCluster(process.pid, told["url"], told["internal_url"], told["ready_time_s"])
        finally:
            _stop(process)


def _await_ready(process: "subprocess.Popen[bytes]", announcement: Path, log: Path, started: float) -> None:
    while not announcement.exists():
        if process.poll() is not None or time.monotonic() - started > READY_S:
            words = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise CommandError(f"the cluster did not become ready:\n{words}", code=ExitCode.INTERNAL)
        time.sleep(0.01)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
