"""The limit of open files is raised as far as it may."""

import resource

from im_bench.run.open_files import raise_file_limit


def test_the_limit_is_as_told() -> None:
    assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
