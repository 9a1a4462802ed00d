"""What any test may use."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster, start_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One real embedded cluster for the whole run; tests make accounts and conversations of their own in it."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
        assert "Traceback" not in running.log_text(), f"something was not caught: see {running.log}"
