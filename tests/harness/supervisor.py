"""An embedded cluster as a child process on one data folder and one port, to be killed and started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from im_cli.engines.engine import free_port

ROOT: Final = Path(__file__).parents[2]
READY_S: Final = 45.0
STOP_S: Final = 15.0

UNLIMITED: Final[Mapping[str, str]] = {
    "IM_GATEWAY__LIMITS__EXEMPT_NETWORKS": '["127.0.0.0/8"]',
    "IM_LOGIC__MESSAGING__SENDS_PER_GROUP_S": "10000",
    "IM_LOGIC__MESSAGING__SENDS_PER_HUGE_S": "10000",
    "IM_LOGIC__WORLD__SLOW_MODE_S": "0",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__TIME_COST": "1",
    "IM_LOGIC__ACCOUNTS__PASSWORDS__MEMORY_KIB": "1024",
    "IM_LOGIC__ACCOUNTS__ACCESS_TTL_S": "7200",
}
"""No buckets and cheap passwords: a load from one address is what a run is about."""


class Supervisor:
    """`im up`, again and again.

    Args:
        folder: holds the data folder, the announcement and the child's log.
        settings: `IM_…` variables.
        program: the module to run, with arguments before `up`.
        prefix: a command that runs the command after it.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] = UNLIMITED,
        *,
        program: Sequence[str] = ("im_cli.main",),
        prefix: Sequence[str] = (),
    ) -> None:
        self._prefix = prefix
        self._program = program
        self.data_dir = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.internal_url = ""
        self.log = folder / "cluster.log"
        self._announcement = folder / "ready.json"
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def websocket_url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "im.sqlite3"

    @property
    def pid(self) -> int:
        """The child's."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the child ended; None: it runs."""
        assert self._process is not None
        return self._process.poll()

    async def start(self) -> float:
        """Start it and wait until it serves; gives the seconds that took."""
        started = time.monotonic()
        self._announcement.unlink(missing_ok=True)
        command = [
            *self._prefix, sys.executable, "-m", *self._program, "up", "--data-dir", str(self.data_dir), "--port", str(self.port),
            "--internal-port", "0", "--announce", str(self._announcement), "--log-level", "warning",
        ]  # fmt: skip
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._settings},
                start_new_session=True,
                cwd=ROOT,
            )
        while not self._announcement.exists():
            if self._process.poll() is not None or time.monotonic() - started > READY_S:
                raise RuntimeError(f"the cluster did not become ready:\n{self.last_words()}")
            await asyncio.sleep(0.02)
        self.internal_url = json.loads(self._announcement.read_text(encoding="utf-8"))["internal_url"]
        return time.monotonic() - started

    def kill(self) -> None:
        """SIGKILL: nothing of the process runs any more when this returns."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            while self._process.poll() is None:
                await asyncio.sleep(0.02)
        return self._process.returncode

    def last_words(self) -> str:
        """The end of the child's log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:] if self.log.exists() else ""
