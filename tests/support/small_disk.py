"""A disk of a server's own that is soon full: a size-limited one in memory, which nobody else sees."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path


def may_mount() -> bool:
    """Whether such a disk can be made: root, with mount namespaces."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return False
    command = [unshare, "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def small_disk(disk: Path, *, mib: int) -> Callable[[Sequence[str]], list[str]]:
    """Changes a MariaDB's command so that its data lies on a disk of `mib` MiB, to begin with a copy of what there is."""

    def within(command: Sequence[str]) -> list[str]:
        [data] = [part.partition("=")[2] for part in command if part.startswith("--datadir=")]
        moved = [f"--datadir={disk}" if part.startswith("--datadir=") else part for part in command]
        script = f"mount -t tmpfs -o size={mib}m none {disk} && cp -a {data}/. {disk} && exec {shlex.join(moved)}"
        return ["unshare", "--mount", "sh", "-c", script]

    return within


def fill(path: Path) -> None:
    """Write until nothing more goes on the disk."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 9, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
