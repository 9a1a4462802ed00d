"""Server processes: started, paused, killed, stopped."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from im_cli.engines.engine import Engine, Requirement, free_port, missing
from im_cli.exit_code import CommandError


def server(folder: Path, *, code: str = "", ready_s: float = 20.0) -> Engine:
    port = free_port()
    program = (
        code
        or f"import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
    )

    def is_ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True

    return Engine("web", [sys.executable, "-c", program], folder, port, is_ready, ready_s=ready_s)


def test_starts_and_stops(tmp_path: Path) -> None:
    """It is ready when `start` returns, and gone when the context ends."""
    with server(tmp_path) as engine:
        pid = engine.pid
        assert pid is not None
        assert psutil.Process(pid).is_running()
    assert engine.pid is None
    assert not psutil.pid_exists(pid)


def test_comes_back_on_the_same_port_after_a_kill(tmp_path: Path) -> None:
    """A killed engine can be started again."""
    with server(tmp_path) as engine:
        first = engine.pid
        engine.kill()
        assert engine.pid is None
        engine.start()
        assert engine.pid not in {None, first}


def test_pause_holds_it(tmp_path: Path) -> None:
    """A paused engine is stopped by the kernel, and `stop` ends it all the same."""
    with server(tmp_path) as engine:
        engine.pause()
        assert psutil.Process(engine.pid).status() == psutil.STATUS_STOPPED
    assert engine.pid is None


def test_tells_the_last_words_of_one_that_ended(tmp_path: Path) -> None:
    """Whoever waits reads why."""
    engine = server(tmp_path, code="raise SystemExit('no room at all')")
    with pytest.raises(CommandError, match="no room at all"):
        engine.start()


def test_kills_one_that_is_never_ready(tmp_path: Path) -> None:
    """Nothing stays behind a failed start."""
    engine = server(tmp_path, code="import time; time.sleep(60)", ready_s=0.5)
    with pytest.raises(CommandError, match="did not become ready"):
        engine.start()
    assert engine.pid is None


def test_a_port_is_given_to_one_process_and_never_to_an_outgoing_connection() -> None:
    """Not even while nobody listens on it yet."""
    mine = [free_port() for _ in range(20)]
    assert len(set(mine)) == len(mine)
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(mine) < max(first_outgoing, 32_768)
    asks = f"from im_cli.engines import engine; engine._PORTS = range({mine[0]}, {mine[0]} + 30); print(engine.free_port())"
    other = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True, timeout=20)
    assert int(other.stdout) not in mine


def test_names_what_is_missing() -> None:
    """Each package once, and none of what is there."""
    python = Path(sys.executable)
    here = Requirement(python.name, "python", folders=(str(python.parent),))
    gone = Requirement("no-such-program-at-all", "no-such-package")
    assert missing([here, gone, gone]) == ["no-such-package"]
