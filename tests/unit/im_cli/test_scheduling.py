"""The policy that a process asks the kernel for."""

import errno
import os
import subprocess
import sys

import pytest

from im_cli.scheduling import be_batch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the policy")

ASK = "import os; {}; print(os.sched_getscheduler(0))"


def test_a_process_asks_for_itself() -> None:
    before = os.sched_getscheduler(0)
    program = ASK.format("from im_cli.scheduling import be_batch; be_batch()")
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(os.SCHED_BATCH)
    assert os.sched_getscheduler(0) == before, "nobody else is changed"


def test_and_for_a_child() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        be_batch(child.pid)
        assert os.sched_getscheduler(child.pid) == os.SCHED_BATCH
    finally:
        child.communicate(b"\n")


@pytest.mark.parametrize("error", [PermissionError(), ProcessLookupError(), OSError(errno.ENOSYS, "not implemented")])
def test_where_it_cannot_be_had_the_process_runs_on(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    asked: list[int] = []

    def refuse(pid: int, *_: object) -> None:
        asked.append(pid)
        raise error

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    be_batch(7)
    assert asked == [7]
