"""A Redis Cluster as tests and clusters start it."""

from collections.abc import Iterator

import pytest
from redis.cluster import ClusterNode
from redis.cluster import RedisCluster as Client

from im_cli.engines.redis_cluster import REQUIREMENTS, RedisCluster
from tests.support.engines import require

PASSWORD = "secret"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    require(REQUIREMENTS)
    with RedisCluster(tmp_path_factory.mktemp("redis-cluster"), password=PASSWORD) as cluster:
        yield cluster


def test_every_slot_has_an_owner(cluster: RedisCluster) -> None:
    nodes = [ClusterNode("127.0.0.1", node.port) for node in cluster.nodes]
    client = Client(startup_nodes=nodes, password=PASSWORD)
    for number in range(100):
        client.set(f"key-{number}", number)
    client.close()
    held = []
    for node in cluster.nodes:
        with cluster.client(node) as one:
            held.append(one.dbsize())
    assert sum(held) == 100
    assert min(held) > 10


def test_a_node_that_was_killed_comes_back_into_its_place(cluster: RedisCluster) -> None:
    second = cluster.nodes[1]
    with cluster.client(second) as client:
        name = client.cluster("myid")
    second.kill()
    second.start()
    cluster.wait_agreed()
    with cluster.client(second) as client:
        assert client.cluster("myid") == name
        assert client.dbsize() == 0


def test_stops_and_starts_whole(cluster: RedisCluster) -> None:
    cluster.stop()
    assert [node.pid for node in cluster.nodes] == [None, None, None]
    cluster.start()
    assert len(cluster.addresses) == 3
