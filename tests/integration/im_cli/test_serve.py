"""`im serve`: repo in a process of its own, the others over real gRPC; and the child cluster that the bench starts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from im_cli.child_cluster import child_cluster
from im_cli.engines.engine import free_port
from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import Im, run_im
from tests.support.cluster import FAST

READY_S = 40.0


def wait_ready(internal_url: str) -> None:
    """Wait until a process says that all it needs is there."""
    deadline = time.monotonic() + READY_S
    while True:
        if httpx.get(f"{internal_url}/readyz", trust_env=False).status_code == httpx.codes.OK:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def serving(name: str, scratch: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of some services, once it is ready; ended politely afterwards."""
    announcement = scratch / f"{name}.json"
    with (scratch / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "im_cli.main", "serve", *arguments),
                *("--data-dir", str(scratch / "data"), "--internal-port", "0", "--announce", str(announcement)),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", **FAST},
        )
    try:
        deadline = time.monotonic() + READY_S
        while not announcement.exists():
            assert process.poll() is None, (scratch / f"{name}.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_messages_flow_between_processes_and_a_killed_repo_comes_back(tmp_path: Path) -> None:
    repo_at, edge_at = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    repo = ("repo", "--listen", repo_at, "--node", f"logic/logic-1@{edge_at}")
    edge = ("gateway", "logic", "task", "--listen", edge_at, "--node", f"repo/repo-1@{repo_at}", "--port", "0")

    def drive(out: Path) -> dict[str, object]:
        told = json.loads((tmp_path / "edge.json").read_text(encoding="utf-8"))
        wait_ready(told["internal_url"])
        url = told["url"]
        arguments = ("--url", url, "--pairs", "2", "--rate", "40", "--duration", "1", "--warm-up", "0")
        done = run_im("bench", "private", *arguments, "--users-file", tmp_path / "users.json", "--json", out)
        assert done.returncode == ExitCode.DONE, done.stderr + done.stdout
        result: dict[str, object] = json.loads(out.read_text(encoding="utf-8"))
        return result

    with serving("repo", tmp_path, *repo) as first, serving("edge", tmp_path, *edge):
        assert drive(tmp_path / "one.json")["verdict"] == "GOOD"
        first.kill()
        first.wait()
        (tmp_path / "repo.json").unlink()
        with serving("repo", tmp_path, *repo):
            assert drive(tmp_path / "two.json")["verdict"] == "GOOD"


def test_services_that_share_memory_are_not_parted_and_unknown_ones_are_named(im: Im) -> None:
    parted = im("serve", "logic", "repo")
    assert parted.returncode == ExitCode.USAGE
    assert "gateway, task" in parted.stderr
    unknown = im("serve", "rapo")
    assert unknown.returncode == ExitCode.USAGE
    assert "rapo" in unknown.stderr


def test_the_child_cluster_is_ready_when_given_and_gone_afterwards() -> None:
    with child_cluster({}) as child:
        os.kill(child.pid, 0)
        assert child.url.startswith("http://127.0.0.1:")
        assert child.ready_s > 0
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
