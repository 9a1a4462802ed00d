"""Bringing the engines that are missing."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.prompt import Confirm

from im_cli.cluster.engine_set import REQUIREMENTS
from im_cli.engines.engine import missing
from im_cli.exit_code import CommandError, ExitCode

INSTALL_S: Final = 900.0


def require_engines(console: Console, *, yes: bool) -> None:
    """See that everything is there, and install what is not.

    Args:
        console: where it is told.
        yes: install without asking.

    Raises:
        CommandError: REFUSED: something is missing and is not to be installed, or could not be.
    """
    packages = missing(REQUIREMENTS)
    if not packages:
        return
    command = _command(packages)
    console.print(f"missing: [bold]{' '.join(packages)}[/]", highlight=False)
    if command is None:
        raise CommandError(
            f"these Debian packages are missing: {' '.join(packages)}",
            code=ExitCode.REFUSED,
            advice=f"as root: apt-get install --no-install-recommends {' '.join(packages)}",
        )
    if not yes and not Confirm.ask(f"Run `{' '.join(command)}`?", console=console, default=False):
        raise CommandError(
            "nothing was installed", code=ExitCode.REFUSED, advice=f"run it yourself: {' '.join(command)}"
        )
    _run([*command[: command.index("apt-get")], "apt-get", "update"])
    _run(command)
    if left := missing(REQUIREMENTS):
        raise CommandError(f"still missing after the installation: {' '.join(left)}", code=ExitCode.REFUSED)


def _command(packages: Sequence[str]) -> list[str] | None:
    """How this user may install them; None: there is no way known to us."""
    if shutil.which("apt-get") is None:
        return None
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() == 0:
        return install
    return ["sudo", *install] if shutil.which("sudo") else None


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251 - a child's environment
    try:
        subprocess.run(command, check=True, timeout=INSTALL_S, env=environment)  # noqa: S603 - composed above
    except (OSError, subprocess.SubprocessError) as error:
        raise CommandError(f"`{' '.join(command)}` failed: {error}", code=ExitCode.REFUSED) from error
