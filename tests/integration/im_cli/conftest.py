"""Commands run as a person runs them: as processes, on folders of their own."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

Done: TypeAlias = "subprocess.CompletedProcess[str]"
Im = Callable[..., Done]


def run_im(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, text: str = "", timeout_s: float = 60
) -> Done:
    """Run `im` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "im_cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=text,
        timeout=timeout_s,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", **(environment or {})},
    )


@pytest.fixture(scope="session")
def im() -> Im:
    return run_im
