"""`im up`: one folder, one process; signals; what is in the way is named."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from im_cli.exit_code import ExitCode
from tests.integration.im_cli.conftest import Im, run_im
from tests.support.cluster import Cluster
from tests.support.http_client import HttpClient
from tests.support.socket_client import open_session

READY_S = 30.0


@contextmanager
def up(
    data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """`im up` on free ports, once it is ready; killed at the end if it still runs."""
    announcement = data_dir.with_suffix(".json")
    announcement.unlink(missing_ok=True)
    command = [sys.executable, "-m", "im_cli.main", "up", "--data-dir", str(data_dir), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--internal-port", "0", "--announce", str(announcement), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": "/usr/bin:/bin", **(environment or {})},
    )
    try:
        deadline = time.monotonic() + READY_S
        while not announcement.exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]") -> tuple[int, float, str]:
    """Exit code, seconds it took, and what was printed."""
    started = time.monotonic()
    output, _ = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - started, output


def test_a_second_start_on_the_folder_is_refused_and_the_first_serves_on(tmp_path: Path, im: Im) -> None:
    with up(tmp_path / "data") as first:
        second = im("up", "--data-dir", tmp_path / "data", "--port", "0")
        assert second.returncode == ExitCode.IN_THE_WAY
        assert f"pid {first.pid}" in second.stderr
        assert "--data-dir" in second.stderr
        assert first.poll() is None


def test_ctrl_c_drains_within_two_seconds_and_the_banner_says_what_to_do(tmp_path: Path) -> None:
    with up(tmp_path / "data") as process:
        process.send_signal(signal.SIGINT)
        code, seconds, output = ended(process)
    assert code == ExitCode.DONE, output
    assert seconds < 2.5, "two seconds, and half a one for a busy machine"
    assert "im chat" in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the policy")
def test_its_threads_do_not_interrupt_others_unless_it_is_to_run_as_it_was_started(tmp_path: Path) -> None:
    with up(tmp_path / "data") as process:
        assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
    as_started = {"IM_SCHEDULER__POLICY": "inherited"}
    with up(tmp_path / "other", environment=as_started) as process:
        assert os.sched_getscheduler(process.pid) == os.sched_getscheduler(0)


async def test_a_drain_tells_clients_to_go_and_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    slow = {"IM_GATEWAY__DRAIN__ALONE_WINDOW_S": "30"}
    with up(tmp_path / "data", environment=slow) as process:
        url = json.loads((tmp_path / "data.json").read_text(encoding="utf-8"))["url"]
        async with HttpClient(url) as http:
            account = await http.guest()
        async with open_session(f"ws{url.removeprefix('http')}/ws", account.access_token) as client:
            process.send_signal(signal.SIGINT)
            await client.until(lambda frame: frame.HasField("go_away"))
            process.send_signal(signal.SIGINT)
            code, seconds, _ = await asyncio.to_thread(ended, process)
    assert code == ExitCode.INTERRUPTED
    assert seconds < 2


def test_a_taken_port_is_named(tmp_path: Path, im: Im) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = im("up", "--data-dir", tmp_path / "data", "--port", str(port), "--internal-port", "0")
    assert refused.returncode == ExitCode.IN_THE_WAY
    assert "port" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_a_file_that_is_no_database_is_refused_and_left_alone_unless_empty(
    tmp_path: Path, content: bytes, im: Im
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "im.sqlite3").write_bytes(content)
    if not content:
        with up(folder) as process:
            process.terminate()
            assert ended(process)[0] == ExitCode.DONE
        return
    refused = im("up", "--data-dir", folder, "--port", "0", "--internal-port", "0")
    assert refused.returncode == ExitCode.STORAGE
    assert "im restore" in refused.stderr
    assert (folder / "im.sqlite3").read_bytes() == content


def test_a_newer_schema_is_refused(tmp_path: Path, im: Im) -> None:
    folder = tmp_path / "data"
    with up(folder) as process:
        process.terminate()
        ended(process)
    with sqlite3.connect(folder / "im.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    refused = im("up", "--data-dir", folder, "--port", "0", "--internal-port", "0")
    assert refused.returncode == ExitCode.STORAGE
    assert "newer" in refused.stderr


def test_every_wrong_setting_is_told_at_once(tmp_path: Path, im: Im) -> None:
    config = tmp_path / "im.toml"
    config.write_text('[gateway.public]\nport = 99999\nprot = 1\n[log]\nlevel = "loud"\n', encoding="utf-8")
    refused = im("up", "--data-dir", tmp_path / "data", "-c", config, environment={"IM_GATEWAY__PUBLIC__HOTS": "x"})
    assert refused.returncode == ExitCode.USAGE
    for key in ("gateway.public.port", "gateway.public.prot", "gateway.public.hots", "log.level"):
        assert key in refused.stderr, key


def test_the_cluster_of_the_session_is_ready_soon(cluster: Cluster) -> None:
    assert cluster.pid
    help_text = run_im("up", "--help")
    assert help_text.returncode == ExitCode.DONE
    assert "--data-dir" in help_text.stdout


def test_traces_without_their_extra_are_refused_with_what_to_install(tmp_path: Path) -> None:
    without = "import sys; sys.modules['opentelemetry.exporter'] = None; from im_cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "up", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", "IM_TRACING__ENDPOINT": "http://127.0.0.1:4317"},
    )
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "pip install 'im-cluster[tracing]'" in done.stderr
