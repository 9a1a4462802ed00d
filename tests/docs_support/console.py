"""Running a printed terminal session: `$ command`, then what it prints. `…` at the end of a line or alone is anything."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.docs_support.bindings import Bindings, parse
from tests.docs_support.blocks import ROOT

TIMEOUT_S = 60


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines it prints."""
    command: str | None = None
    output: list[str] = []
    for line in text.splitlines():
        if command is not None and command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {line.strip()}"
        elif line.startswith("$ "):
            if command is not None:
                yield command, output
            command, output = line[2:], []
        else:
            assert command is not None, "a console block begins with $"
            output.append(line.rstrip())
    if command is not None:
        yield command, output


def run_console(text: str, bindings: Bindings, folder: Path) -> None:
    """Run a block's commands in `folder`, which looks like the project's root."""
    for command, printed in commands_of(text):
        variables = {"IM_CHAT_URL": bindings.real("http://127.0.0.1:8080")} if " chat " in command else {}
        done = subprocess.run(
            ["bash", "-c", bindings.real(command)],
            cwd=folder,
            env={
                **os.environ,
                **variables,
                "COLUMNS": "200",
                "TERM": "dumb",
                "XDG_STATE_HOME": str(folder / "state"),
                "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        real = [line.rstrip() for line in done.stdout.splitlines()]
        assert _output_matches(printed, real, bindings), f"$ {command}\nprinted:\n{printed}\nreal:\n{real}"


def _output_matches(printed: list[str], real: list[str], bindings: Bindings) -> bool:
    printed, real = [line for line in printed if line], [line for line in real if line]
    if printed and printed[-1] == "…":
        printed = printed[:-1]
        real = real[: len(printed)]
    return len(printed) == len(real) and all(
        _line_matches(one, other, bindings) for one, other in zip(printed, real, strict=True)
    )


def _line_matches(printed: str, real: str, bindings: Bindings) -> bool:
    if printed.startswith(("{", "[")):
        try:
            return bindings.matches(parse(printed), json.loads(real))
        except ValueError:
            pass  # not JSON, only cut out of some
    pattern = re.sub(r"\\?…", ".*", re.escape(bindings.real(printed)))
    return re.fullmatch(re.sub(r"(\\ )+", r"\\s+", pattern), real) is not None
