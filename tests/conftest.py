"""What any test may use."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import Cluster, start_cluster
from tests.support.engine_fixtures import (
    etcd_engine,
    redis_cluster,
    redis_engine,
    session_etcd,
    session_redis,
    session_redis_cluster,
)
from tests.support.mariadb import MariadbServer, start_mariadb

__all__ = ["etcd_engine", "redis_cluster", "redis_engine", "session_etcd", "session_redis", "session_redis_cluster"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One real embedded cluster for the whole run; tests make accounts and conversations of their own in it."""
    with start_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
        assert "Traceback" not in running.log_text(), f"something was not caught: see {running.log}"


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    """One real MariaDB for the whole run; tests take databases of their own in it."""
    with start_mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture
def mariadb_database(mariadb_server: MariadbServer) -> Iterator[str]:
    """The name of an empty database, gone afterwards."""
    name = mariadb_server.make_database()
    yield name
    mariadb_server.drop_database(name)
