"""What a process uses, or that it is gone."""

import os

from im_bench import resources


def test_this_process_has_memory_and_cpu() -> None:
    usage = resources.read(os.getpid())
    assert usage is not None
    assert usage.rss_mib > 1
    assert usage.cpu_s > 0


def test_a_process_that_is_gone_has_no_use() -> None:
    assert resources.read(2**22 + 1) is None
