"""What any test may use."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.cluster import Cluster, start_cluster
from tests.support.databases import AnyDatabase, MariadbSchema, make_sqlite_template, mariadb_schema, sqlite_copy
from tests.support.engine_fixtures import (
    etcd_engine,
    redis_cluster,
    redis_engine,
    session_etcd,
    session_redis,
    session_redis_cluster,
)
from tests.support.kafka import kafka_address, module_kafka, own_kafka
from tests.support.mariadb import MariadbServer, start_mariadb

__all__ = [
    "etcd_engine",
    "kafka_address",
    "module_kafka",
    "own_kafka",
    "redis_cluster",
    "redis_engine",
    "session_etcd",
    "session_redis",
    "session_redis_cluster",
]


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Commands set up the process's logging; the next test finds it as if none had run."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


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


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the schema, made once and copied for each test."""
    return make_sqlite_template(tmp_path_factory.mktemp("schema"))


@pytest.fixture(scope="session")
def shared_mariadb_schema(mariadb_server: MariadbServer) -> Iterator[MariadbSchema]:
    """A MariaDB database with the schema, for one test at a time."""
    with mariadb_schema(mariadb_server) as schema:
        yield schema


@pytest.fixture(params=["sqlite", "mariadb"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyDatabase]:
    """A database of the test's own with the whole schema, on each engine in turn."""
    if request.param == "sqlite":
        with sqlite_copy(request.getfixturevalue("sqlite_template"), tmp_path / "im.db") as file:
            yield file
    else:
        schema: MariadbSchema = request.getfixturevalue("shared_mariadb_schema")
        yield schema
        schema.empty()
