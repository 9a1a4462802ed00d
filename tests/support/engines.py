"""The real engines that tests run against: what a machine lacks is told exactly, and is a failure in CI."""

import os
from collections.abc import Sequence

import pytest

from im_cli.engines.engine import Requirement, missing


def require(requirements: Sequence[Requirement]) -> None:
    """Skip the test where a package is missing; with CI=true fail it."""
    packages = missing(requirements)
    if not packages:
        return
    told = f"missing: {' '.join(packages)} (apt-get install {' '.join(packages)})"
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)
