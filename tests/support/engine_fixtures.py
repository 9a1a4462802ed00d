"""Engines that a whole session of tests shares (each worker of a parallel run has its own); each test begins with none of another's data."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from im_cli.engines.engine import Engine
from im_cli.engines.etcd import REQUIREMENTS as ETCD_REQUIREMENTS
from im_cli.engines.etcd import etcd
from im_cli.engines.redis import REQUIREMENTS as REDIS_REQUIREMENTS
from im_cli.engines.redis import redis, redis_client
from im_cli.engines.redis_cluster import RedisCluster
from im_infra.cache.settings import RedisSettings
from tests.support.engines import require

PASSWORD = "not a secret"


def redis_settings(*addresses: str, **options: Any) -> RedisSettings:
    """Settings for a cache on an engine with `PASSWORD`; patient, since tests share the machine."""
    options.setdefault("timeout_ms", 3_000)
    return RedisSettings(addresses=addresses, password=SecretStr(PASSWORD), **options)


@pytest.fixture(scope="session")
def session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    require(REDIS_REQUIREMENTS)
    with redis(tmp_path_factory.mktemp("redis"), password=PASSWORD) as engine:
        yield engine


@pytest.fixture(scope="session")
def session_redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    require(REDIS_REQUIREMENTS)
    with RedisCluster(tmp_path_factory.mktemp("redis-cluster"), password=PASSWORD) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def session_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    require(ETCD_REQUIREMENTS)
    with etcd(tmp_path_factory.mktemp("etcd"), None) as engine:
        yield engine


@pytest.fixture
def redis_engine(session_redis: Engine) -> Engine:
    """A Redis without keys, running; its password is `PASSWORD`."""
    _run(session_redis)
    with redis_client(session_redis.port, password=PASSWORD) as client:
        client.flushall()
    return session_redis


@pytest.fixture
def redis_cluster(session_redis_cluster: RedisCluster) -> RedisCluster:
    """A Redis Cluster without keys, running; its password is `PASSWORD`."""
    for node in session_redis_cluster.nodes:
        _run(node)
        with session_redis_cluster.client(node) as client:
            client.flushall()
    session_redis_cluster.wait_agreed()
    return session_redis_cluster


@pytest.fixture
def etcd_engine(session_etcd: Engine) -> Engine:
    """An etcd, running; each test takes a prefix of its own in it."""
    _run(session_etcd)
    return session_etcd


def _run(engine: Engine) -> None:
    """Whatever the test before did to it."""
    engine.resume()
    if engine.pid is None:
        engine.start()
