"""What processes use, or that they are gone."""

import os
import subprocess
import sys

from im_bench.measure.resources import Watch


def test_this_process_has_memory_and_cpu() -> None:
    usage = Watch({"tests": os.getpid()}).read()["tests"]
    assert usage.rss_mib > 1
    assert usage.cpu_s > 0


def test_children_count_with_their_parent() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    watch = Watch({"parent": os.getpid()})
    alone = watch.read()["parent"].rss_mib
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        assert Watch({"parent": process.pid}).read()["parent"].rss_mib > 10
        assert Watch({"parent": os.getpid()}).read()["parent"].rss_mib > alone + 10
    finally:
        process.communicate(b"\n")


def test_a_process_that_is_gone_has_no_use() -> None:
    assert Watch({"gone": 2**22 + 1}).read() == {}
