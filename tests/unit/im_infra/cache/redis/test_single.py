import pytest
from redis.exceptions import MovedError

from im_infra.cache.redis.node import RedisNode
from im_infra.cache.redis.single import SingleServer
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from tests.support.engine_fixtures import redis_settings


async def test_a_cluster_that_was_not_announced_is_told() -> None:
    """Whoever forgot the setting reads which one."""
    settings = redis_settings("127.0.0.1:1")
    node = RedisNode("127.0.0.1:1", settings=settings, epoch_key="e", metrics=Metrics(), on_epoch=lambda: None)
    topology = SingleServer(node)
    assert topology.node_of(b"k") is node
    assert topology.nodes() == (node,)
    with pytest.raises(ImError, match="set cluster"):
        topology.moved(MovedError("5 127.0.0.1:2"))
