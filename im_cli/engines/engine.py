"""A server process that we start, watch and stop: what all engines have in common."""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from im_cli.exit_code import CommandError, ExitCode
from im_cli.scheduling import be_batch

LOOPBACK: Final = "127.0.0.1"
READY_S: Final = 60.0
STOP_S: Final = 20.0
"""How long an engine may take to end."""
_LOOK_S: Final = 0.05
_PORTS: Final = range(10_000, 32_768)
_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something of the system that an engine needs."""

    program: str
    """A program on the path, or in one of `folders`."""
    package: str
    """The Debian package that brings it."""
    folders: tuple[str, ...] = ("/usr/sbin", "/usr/local/sbin")
    """Where it may lie besides the path."""

    def find(self) -> str | None:
        """Where the program is; None: it is missing."""
        return shutil.which(self.program) or shutil.which(self.program, path=os.pathsep.join(self.folders))


def missing(requirements: Sequence[Requirement]) -> list[str]:
    """The packages to install, each once."""
    return sorted({requirement.package for requirement in requirements if requirement.find() is None})


def free_port() -> int:
    """A port of loopback that is this process's to give away until it ends.

    It lies below those that the kernel takes for outgoing connections, or one of these might have it when a server is
    killed and started again. No other process that asks here gets it meanwhile, though nobody listens on it yet.
    """
    while True:
        port = _RANDOM.randrange(_PORTS.start, _PORTS.stop)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with socket.socket() as probe:
            try:
                claim.bind(f"\0im-port-{port}")
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((LOOPBACK, port))
            except OSError:
                claim.close()
                continue
        atexit.register(claim.close)  # a name that only one process of this machine can have, until then
        return port


@dataclass
class Engine:
    """A server in its own process group, with its data and its log in a folder.

    `start` returns when it is ready. It may be killed, paused and started again on the same data and port.
    """

    name: str
    """For people: `mariadb`, `redis-1`."""
    command: Sequence[str]
    folder: Path
    """Holds its data and `NAME.log`; exists."""
    port: int
    """Where it listens, on loopback."""
    is_ready: Callable[[], bool]
    """Asked again and again after the start; may raise OSError, which means not yet."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Besides ours."""
    stop_signal: signal.Signals = signal.SIGTERM
    ready_s: float = READY_S
    """How long it may take to become ready, in seconds."""
    is_batch: bool = True
    """Whether it gets the kernel's policy for batch work; our own processes ask for theirs."""
    stop_s: float = STOP_S
    """How long it may take to end when asked to, in seconds; then it is killed."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self.process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            CommandError: INTERNAL: it ended, or was not ready in time; its last words are in the message.
        """
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - a server named by us
                list(self.command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},  # noqa: TID251 - a child's environment, not our settings
                start_new_session=True,
            )
        if self.is_batch:
            be_batch(self.process.pid)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until it is ready; raises as `start`, and then it does not run."""
        deadline = time.monotonic() + self.ready_s
        while not self._ready():
            if self.pid is None or time.monotonic() > deadline:
                words = self.log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
                self.kill()
                raise CommandError(f"{self.name} did not become ready:\n{words}", code=ExitCode.INTERNAL)
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        """Ask it to end, and wait; after `stop_s` it is killed."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        self.resume()
        process.send_signal(self.stop_signal)
        try:
            process.wait(self.stop_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL its process group, and wait."""
        process = self.process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> None:
        """Stop it in order and start it again, on the same data and port."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP, and wait for it: it holds its connections and answers nothing."""
        if (pid := self.pid) is not None:
            os.killpg(pid, signal.SIGSTOP)
            os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """SIGCONT."""
        if (pid := self.pid) is not None:
            os.killpg(pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _ready(self) -> bool:
        try:
            return self.is_ready()
        except OSError:
            return False
