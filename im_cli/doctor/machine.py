"""What this machine gives a process: the interpreter, file descriptors, ports, room on the disk."""

import resource
import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from im_infra.finding import Finding, Grade

WANTED_FILES: Final = 10_240
"""One file descriptor per connection, 10,000 connections on one gateway, and some to spare."""
FREE_BYTES: Final = 1 << 30
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def python() -> Finding:
    """The interpreter's version."""
    told = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < (3, 11):  # noqa: UP036 - somebody may run us on it all the same
        return Finding(Grade.BAD, "python", told, "3.11 or newer is needed")
    return Finding(Grade.GOOD, "python", told)


def file_limit() -> Finding:
    """How many files, and so connections, a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = f"{soft} open files at most (the system would allow {hard})"
    if soft < WANTED_FILES:
        return Finding(
            Grade.WARNING,
            "file limit",
            told,
            f"each connection takes one: `ulimit -n {WANTED_FILES}`, or LimitNOFILE= in the unit",
        )
    return Finding(Grade.GOOD, "file limit", told)


def port(subject: str, host: str, number: int, *, running: bool) -> Finding:
    """Whether a port can be opened.

    Args:
        subject: what it is for; `internal port` is to stay on loopback.
        host: where it listens.
        number: the port.
        running: a cluster runs on this data folder, so that it may well be taken.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if running:
                return Finding(Grade.GOOD, subject, f"{host}:{number} is taken, and the cluster of this folder runs")
            return Finding(
                Grade.BAD,
                subject,
                f"{host}:{number} cannot be opened: {error.strerror}",
                "stop what holds it, or choose another",
            )
    if host not in LOOPBACK and subject == "internal port":
        return Finding(
            Grade.WARNING, subject, f"{host}:{number} is not loopback", "health and metrics must never be public"
        )
    return Finding(Grade.GOOD, subject, f"{host}:{number} is free")


def disk(folder: Path) -> Finding:
    """Room where the data folder is, or will be."""
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    told = f"{free / 2**30:.1f} GiB free under {existing}"
    if free < FREE_BYTES:
        return Finding(Grade.WARNING, "disk", told, "sends are refused (STORAGE_FULL) when it is full: make room")
    return Finding(Grade.GOOD, "disk", told)
