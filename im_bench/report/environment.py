"""The machine that a run took place on, as far as figures depend on it."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import psutil

HERE: Final = Path(__file__).resolve().parents[2]


def environment() -> dict[str, Any]:
    """CPU, memory, kernel, interpreter."""
    return {
        "cpu_model": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "version": _version(),
        "commit": _commit(),
    }


def _version() -> str | None:
    """This program's; None where it is not installed."""
    try:
        return version("im-cluster")
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit that this program was started from, `-dirty` where it was changed; None outside of a checkout."""
    git = shutil.which("git")
    if git is None or not (HERE / ".git").exists():
        return None
    command = [git, "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - git alone
    return done.stdout.strip() or None


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel's
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, platform.machine())
    except OSError:
        return platform.machine()
