"""A run that a person ends keeps what it measured; one that is terminated leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil

from im_bench.report.schema import result_schema
from im_bench.report.verdict import Verdict
from tests.support.cluster import Cluster

WITHIN_S = 60.0
LONG = ("--pairs", "3", "--rate", "30", "--duration", "120", "--warm-up", "0")


def begin(*arguments: str) -> "subprocess.Popen[str]":
    """Start a long run, and return once it drives."""
    process = subprocess.Popen(
        [sys.executable, "-m", "im_cli.main", "bench", "private", *LONG, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "driving" in line:
            return process
    raise AssertionError(process.communicate())


def test_ctrl_c_tells_what_was_measured_so_far(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    process = begin("--url", cluster.url, "--workers", "2", "--json", str(out))
    time.sleep(2)  # something to measure
    os.kill(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == Verdict.GOOD, errors
    assert "stopped by hand before its time" in told
    assert "lost 0" in told
    result = json.loads(out.read_text(encoding="utf-8"))
    jsonschema.validate(result, result_schema())
    assert result["stopped"] is True
    assert result["acked_per_s"] > 5
    assert result["latency_ms"]["delivery"]["p50"] is not None


def test_what_was_started_for_a_run_ends_with_it() -> None:
    process = begin()
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2, "a cluster and a generator"
    process.terminate()
    process.communicate(timeout=WITHIN_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert psutil.wait_procs(family, timeout=WITHIN_S)[1] == []
