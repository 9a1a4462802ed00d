import os
import subprocess
import sys
from pathlib import Path

from im_cli.cluster import state_file
from im_cli.cluster.state_file import Running, State


def test_what_was_written_is_read(tmp_path: Path) -> None:
    state = State(["http://127.0.0.1:1"], "cluster.toml", [Running("gateway-a", 7, 1.25)], {"gateway-a": "http://x"})
    state_file.write(tmp_path, state)
    assert state_file.read(tmp_path) == state
    state_file.remove(tmp_path)
    assert state_file.read(tmp_path) is None


def test_a_process_is_found_while_it_runs() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        running = Running.of("it", process.pid)
        found = running.find()
        assert found is not None
        assert found.pid == process.pid
        process.kill()
        process.wait()
        assert running.find() is None


def test_somebody_else_with_the_same_id_is_not_it() -> None:
    """Process ids are given again: a later command must not stop a stranger."""
    mine = Running.of("me", os.getpid())
    assert mine.find() is not None
    assert Running("me", mine.pid, mine.created - 100).find() is None
