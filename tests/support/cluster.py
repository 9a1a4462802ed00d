"""A real embedded cluster, `im up`, as a child process on free ports of loopback."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

READY_S: Final = 60.0
STOP_S: Final = 10.0

FAST: Final = {
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "64",
    "IM_LOGIC__WORLD__SLOW_MODE_S": "0",
    "IM_LOGIC__MESSAGING__GUEST_SLOW_MODE_MS": "0",
    "IM_LOGIC__MESSAGING__TYPING_INTERVAL_MS": "0",
    "IM_GATEWAY__LIMITS__TYPING_INTERVAL_S": "0.001",
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": "127.0.0.0/8",
}
"""Settings that take the waiting out of tests: cheap hashes, no buckets for loopback, no slow mode."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster."""

    url: str
    internal_url: str
    pid: int
    data_dir: Path
    log: Path
    """What it wrote to stdout and stderr."""

    @property
    def port(self) -> int:
        """The public port."""
        return int(self.url.rpartition(":")[2])

    @property
    def socket_url(self) -> str:
        """Where a WebSocket connects."""
        return f"ws{self.url.removeprefix('http')}/ws"

    def log_text(self) -> str:
        """The log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the database beside the running cluster."""
        with closing(self._connect()) as connection:
            return connection.execute(statement, values).fetchall()

    def plant(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Write what no operation of the API can, such as a ban, in one transaction."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                connection.execute(statement, values)
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.data_dir / "im.sqlite3", timeout=10, isolation_level=None)


@contextmanager
def start_cluster(scratch: Path, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """Start a cluster in a folder, and stop it afterwards; a crash on the way fails loudly.

    Args:
        scratch: an empty folder for data, log and announcement.
        settings: `IM_…` variables on top of `FAST`.
    """
    announcement, log, data_dir = scratch / "ready.json", scratch / "log", scratch / "data"
    command = [
        sys.executable, "-m", "im_cli.main", "up", "--data-dir", str(data_dir),
        "--port", "0", "--internal-port", "0", "--announce", str(announcement),
    ]  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IM_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **FAST, **(settings or {})},
            start_new_session=True,
        )
    try:
        _await_ready(process, announcement, log)
        told = json.loads(announcement.read_text(encoding="utf-8"))
        yield Cluster(told["url"], told["internal_url"], process.pid, data_dir, log)
        assert process.poll() is None, f"the cluster ended by itself:\n{log.read_text(encoding='utf-8')[-4000:]}"
    finally:
        _stop(process)


def _await_ready(process: "subprocess.Popen[bytes]", announcement: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while not announcement.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            last_words = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            raise AssertionError(f"the cluster did not become ready:\n{last_words}")
        time.sleep(0.02)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
