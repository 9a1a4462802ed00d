"""Who holds which slot: what the servers say, and a real cluster whose slots move."""

import asyncio

import pytest
from redis.crc import key_slot

from im_cli.engines.redis_cluster import RedisCluster
from im_infra.cache.redis.node import RedisNode
from im_infra.cache.redis.redis import open_redis
from im_infra.cache.redis.slots import SLOTS, ClusterSlots, Range, parse_slots, tag_of
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from tests.support.engine_fixtures import redis_settings


def test_a_tag_puts_a_key_into_its_slot() -> None:
    for slot in (0, 1, 5_461, 10_923, SLOTS - 1):
        assert key_slot(f"im:epoch{{{tag_of(slot)}}}".encode()) == slot


def test_the_answer_names_the_masters() -> None:
    reply = [
        [0, 99, [b"10.0.0.1", 6379, b"id", []], [b"10.0.0.9", 6379, b"replica", []]],
        [100, 16_383, [b"", 6380, b"id", []]],
    ]
    assert parse_slots(reply, asked="10.0.0.2:6380") == [
        Range(0, 99, "10.0.0.1:6379"),
        Range(100, 16_383, "10.0.0.2:6380"),
    ]


@pytest.mark.parametrize("reply", [[], None, b"OK", RuntimeError("This instance has cluster support disabled")])
def test_what_is_no_cluster_is_told(reply: object) -> None:
    with pytest.raises(ImError, match="knows of no slots"):
        parse_slots(reply, asked="10.0.0.1:6379")


async def test_without_a_server_it_does_not_open() -> None:
    settings = redis_settings("127.0.0.1:1", "127.0.0.1:2", cluster=True)

    def make(address: str, epoch_key: str) -> RedisNode:
        return RedisNode(address, settings=settings, epoch_key=epoch_key, metrics=Metrics(), on_epoch=lambda: None)

    slots = ClusterSlots(settings.addresses, make=make, epoch_prefix="e", on_change=lambda: None)
    with pytest.raises(ImError, match="is away"):
        await slots.open()
    with pytest.raises(ImError, match="no node"):
        slots.node_of(b"k")


async def test_any_seed_that_answers_is_enough(redis_cluster: RedisCluster) -> None:
    settings = redis_settings("127.0.0.1:1", redis_cluster.addresses[2], cluster=True)
    async with open_redis(settings, Metrics()) as cache:
        await cache.put("a", b"1", ttl_s=60)
        assert await cache.get_many(["a"]) == [b"1"]


async def test_a_slot_that_moves_is_followed(redis_cluster: RedisCluster) -> None:
    """While it moves (ASK), and once it has moved (MOVED); nothing is lost, and no call fails."""
    key = "route:7"
    slot = key_slot(f"im:{key}".encode())
    settings = redis_settings(*redis_cluster.addresses, cluster=True)
    async with open_redis(settings, Metrics()) as cache:
        await cache.put(key, b"1", ttl_s=60)
        owner, target = _owner_and_other(redis_cluster, slot)
        with redis_cluster.client(owner) as source, redis_cluster.client(target) as sink:
            names = {client: client.cluster("myid").decode() for client in (source, sink)}
            sink.cluster("setslot", slot, "importing", names[source])
            source.cluster("setslot", slot, "migrating", names[sink])
            source.migrate("127.0.0.1", target.port, f"im:{key}", 0, 2_000, auth=settings.password.get_secret_value())
            assert await cache.get_many([key]) == [b"1"]
            assert await cache.compare_and_set(key, b"1", b"2", ttl_s=60)
            assert await cache.get_many([key, "elsewhere"]) == [b"2", None]
            for client in (sink, source):
                client.cluster("setslot", slot, "node", names[sink])
        assert await cache.get_many([key]) == [b"2"]
        assert await cache.increment("count:7", ttl_s=60) == 1
        await _give_back(redis_cluster, slot, key, settings.password.get_secret_value())
        assert await cache.get_many([key]) == [b"2"]


def _owner_and_other(cluster: RedisCluster, slot: int) -> tuple:
    with cluster.client(cluster.nodes[0]) as client:
        for first, last, owner, *_ in client.execute_command("CLUSTER SLOTS"):
            if first <= slot <= last:
                (node,) = [node for node in cluster.nodes if node.port == owner[1]]
                return node, next(other for other in cluster.nodes if other is not node)
    raise AssertionError("a slot without owner")


async def _give_back(cluster: RedisCluster, slot: int, key: str, password: str) -> None:
    """As it was, for the tests to come."""
    for home in cluster.nodes:
        first = SLOTS * cluster.nodes.index(home) // len(cluster.nodes)
        if first <= slot < SLOTS * (cluster.nodes.index(home) + 1) // len(cluster.nodes):
            break
    owner, _ = _owner_and_other(cluster, slot)
    with cluster.client(owner) as source, cluster.client(home) as sink:
        names = {client: client.cluster("myid").decode() for client in (source, sink)}
        sink.cluster("setslot", slot, "importing", names[source])
        source.cluster("setslot", slot, "migrating", names[sink])
        await asyncio.to_thread(source.migrate, "127.0.0.1", home.port, f"im:{key}", 0, 2_000, auth=password)
        for client in (sink, source):
            client.cluster("setslot", slot, "node", names[sink])
