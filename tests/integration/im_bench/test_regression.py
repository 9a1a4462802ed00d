"""The fixed set keeps what it measured: whatever fails after it, and whoever ends it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from im_bench.report.verdict import Verdict
from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import run_im

WITHIN_S = 90.0


def begin(name: str, folder: Path) -> "subprocess.Popen[str]":
    """Start one of the short sets on an embedded cluster."""
    arguments = ("--folder", str(folder), "--repeats", "1", "--no-cluster")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench_support.short_set", name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120"},
    )


def file_in(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def runs_in(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file_in(folder).read_text(encoding="utf-8"))
    return told


def test_a_run_that_fails_is_named_and_the_others_stand(tmp_path: Path) -> None:
    process = begin("refused", tmp_path)
    said, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == ExitCode.IN_THE_WAY, errors
    told = runs_in(tmp_path)
    assert [run["verdict"] for run in told["runs"]] == ["GOOD", "GOOD"]
    assert told["environment"].keys() >= {"cpu_model", "cores", "kernel", "commit"}
    (failure,) = told["failures"]
    assert (failure["name"], failure["exit_code"]) == ("private, embedded", ExitCode.IN_THE_WAY)
    assert "failed (3): private, embedded: the run did not take place" in said
    assert "run 2/3: private, embedded" in errors, "its progress is shown"
    assert f"2 runs written to {file_in(tmp_path)}" in said
    compared = run_im("bench", "compare", file_in(tmp_path), file_in(tmp_path))
    assert (compared.returncode, "2 runs before, 2 runs after" in compared.stdout) == (0, True), compared.stdout


def test_ctrl_c_keeps_the_runs_that_had_ended(tmp_path: Path) -> None:
    process = begin("long", tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if "run 2/2" in line and "driving" in line:
            break
    os.kill(process.pid, signal.SIGINT)
    said, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == Verdict.GOOD, errors
    assert [run["settings"]["duration"] for run in runs_in(tmp_path)["runs"]] == [1]
    assert "ended by hand before its time" in said
