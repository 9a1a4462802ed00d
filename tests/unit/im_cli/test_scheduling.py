"""The policy that a process asks the kernel for."""

import os
import subprocess
import sys

import pytest

from im_cli.scheduling import be_batch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the policy")

ASK = "import os; {}; print(os.sched_getscheduler(0))"


def test_a_process_asks_for_itself() -> None:
    program = ASK.format("from im_cli.scheduling import be_batch; be_batch()")
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(os.SCHED_BATCH)
    assert os.sched_getscheduler(0) != os.SCHED_BATCH, "nobody else is changed"


def test_and_for_a_child() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        be_batch(child.pid)
        assert os.sched_getscheduler(child.pid) == os.SCHED_BATCH
    finally:
        child.communicate(b"\n")


def test_where_it_is_not_allowed_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    be_batch()
