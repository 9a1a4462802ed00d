"""A run that a person ends keeps what it measured; one that is terminated leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil
import pytest

from im_bench.report.schema import result_schema
from im_bench.report.verdict import Verdict
from tests.support.cluster import Cluster

WITHIN_S = 60.0
LONG = ("--rate", "30", "--duration", "120", "--warm-up", "0")
PAIRS = ("--pairs", "3")


def begin(*arguments: str, scenario: str = "private", until: str = "driving") -> "subprocess.Popen[str]":
    """Start a long run, and return once it tells `until`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "im_cli.main", "bench", scenario, *LONG, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if until in line:
            return process
    raise AssertionError(process.communicate())


def wait_for_generator(pid: int) -> None:
    """Until a process has started one, which takes it a second to import what it needs."""
    deadline = time.monotonic() + WITHIN_S
    while not any("im_bench.run.worker" in child.cmdline() for child in psutil.Process(pid).children()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_tells_what_was_measured_so_far(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    process = begin(*PAIRS, "--url", cluster.url, "--workers", "2", "--json", str(out))
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


def test_ctrl_c_verifies_what_was_sent_so_far(cluster: Cluster) -> None:
    """A planted loss is found behind a stop as it is without one."""
    process = begin(*PAIRS, "--url", cluster.url, "--adapter", "tests.bench_support.tampering:Losing")
    time.sleep(2)  # lanes lose their third message
    os.kill(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == Verdict.INCORRECT, (told, errors)
    assert re.search(r"lost [1-6] ", told), told


@pytest.mark.parametrize(
    ("scenario", "small"),
    [
        ("private", ("--pairs", "3")),
        ("large-group", ("--members", "4", "--senders", "2")),
        ("slow-reader", ("--members", "5", "--senders", "2", "--slow", "1")),
        ("history", ("--readers", "3", "--messages", "100")),
        ("offline", ("--users", "2", "--conversations", "2")),
    ],
)
def test_ctrl_c_while_generators_start_is_no_traceback(cluster: Cluster, scenario: str, small: tuple[str, ...]) -> None:
    process = begin("--url", cluster.url, *small, scenario=scenario, until="making registered accounts")
    wait_for_generator(process.pid)
    os.kill(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == Verdict.INVALID, (told, errors)
    assert "stopped by hand before its time" in told
    assert "Traceback" not in told + errors


def test_what_was_started_for_a_run_ends_with_it() -> None:
    process = begin(*PAIRS)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2, "a cluster and a generator"
    process.terminate()
    process.communicate(timeout=WITHIN_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert psutil.wait_procs(family, timeout=WITHIN_S)[1] == []
